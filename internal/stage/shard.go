package stage

import (
	"transship/internal/document"
	"transship/internal/plan/shard"
	"transship/internal/transfer"
)

// shardOf cuts a plan for several machines: who else copies it, and what this one's results are to say of its part. Both
// are nil where one machine copies everything.
func shardOf(made document.Plan, part shard.Part) (*transfer.Peers, *document.Shard, error) {
	if part.Whole() {
		return nil, nil, nil
	}
	if err := part.Check(); err != nil {
		return nil, nil, err
	}
	cut := shard.Make(made, part.Count)
	return &transfer.Peers{Self: part.Index, Brings: cut.Of}, &document.Shard{Index: part.Index, Count: part.Count, Plan: cut.Plan()}, nil
}

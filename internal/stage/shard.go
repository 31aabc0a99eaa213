package stage

import (
	"math"

	"transship/internal/document"
	"transship/internal/plan/shard"
	"transship/internal/transfer"
)

// muchGrowth is how many times what one machine reads several may read before they are told that they are too many.
const muchGrowth = 1.5

// shardOf cuts a plan for several machines: who else copies it, and what this one's results are to say of its part. Both
// are nil where one machine copies everything.
func (p *Pipeline) shardOf(made document.Plan, part shard.Part) (*transfer.Peers, *document.Shard, error) {
	if part.Whole() {
		return nil, nil, nil
	}
	if err := part.Check(); err != nil {
		return nil, nil, err
	}
	cut := shard.Make(made, part.Count)
	if growth := cut.Growth(); growth > muchGrowth && made.Difference.CopyBlobs > 0 {
		p.Logger.Warn("the plan is small for so many shards: what several need may be read from ECR by each; 16 or fewer read less than a tenth more than one machine",
			"shards", part.Count, "timesOneMachine", math.Round(growth*100)/100)
	}
	return &transfer.Peers{Self: part.Index, Brings: cut.Of}, &document.Shard{Index: part.Index, Count: part.Count, Plan: cut.Plan()}, nil
}

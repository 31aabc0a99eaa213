package cli

import (
	"cmp"
	"fmt"
	"strconv"

	"github.com/spf13/cobra"

	"transship/internal/plan/shard"
	"transship/internal/stage"
)

// sharding are the flags that say which part of a plan a machine copies.
type sharding struct {
	shard  string // I/N
	shards int
	plan   string // the file of the plan
	asked  bool   // the command works on shards
}

// addShard gives cmd the flags that say which shard it works on.
func (a *app) addShard(cmd *cobra.Command) {
	f, s := cmd.Flags(), &a.flags.sharding
	f.StringVar(&s.shard, "shard", "", "copy part `I/N` alone, I from 0, on one of N machines")
	f.IntVar(&s.shards, "shards", 0, "copy one of `N` parts: see JOB_COMPLETION_INDEX")
}

// addPlan gives cmd the flag that names the plan.
func (a *app) addPlan(cmd *cobra.Command) {
	cmd.Flags().StringVar(&a.flags.sharding.plan, "plan", "", "the plan is in `FILE`, which is only read")
}

// unsharded warns of a worker of an Indexed Job that nobody told how many there are: each of them would copy everything.
func (a *app) unsharded(p *stage.Pipeline, part shard.Part) {
	if index := a.getenv(jobIndex); a.flags.sharding.asked && part.Whole() && index != "" {
		p.Logger.Warn(jobIndex+" is set and --shards is not: this worker copies the whole plan", "index", index)
	}
}

// jobIndex is where Indexed Jobs of Kubernetes say which worker it is. FACTS D.
const jobIndex = "JOB_COMPLETION_INDEX"

// mergeSharding lets the flags win over the file.
func (a *app) mergeSharding(f *file) {
	s := a.flags.sharding
	if s.shard != "" || s.shards != 0 { // either says it anew
		f.Shard, f.Shards = s.shard, s.shards
	}
	f.Plan = cmp.Or(s.plan, f.Plan)
}

// told is a shard, or a part of what says which one it is, and who says so.
type told struct {
	by    string
	index int // -1 where only the number is said
	count int // 0 where only the index is said
}

// part is the shard that the file, with the flags laid over it, and the environment say this machine is to work on. The
// zero value is the whole. All that say something must agree: a machine that took another part than was meant for it would
// leave its own to nobody.
func (f file) part(getenv func(string) string) (shard.Part, error) {
	said, err := f.shardsSaid(getenv)
	if err != nil || len(said) == 0 {
		return shard.Part{}, err
	}
	all := told{index: -1}
	var index, count string
	for _, t := range said {
		if t.count > 0 && all.count > 0 && t.count != all.count {
			return shard.Part{}, usagef("%s says that there are %d shards, and %s says %d: let them agree, or unset one", count, all.count, t.by, t.count)
		}
		if t.index >= 0 && all.index >= 0 && t.index != all.index {
			return shard.Part{}, usagef("%s says that this is shard %d, and %s says %d: let them agree, or unset one", index, all.index, t.by, t.index)
		}
		if t.count > 0 && all.count == 0 {
			all.count, count = t.count, t.by
		}
		if t.index >= 0 && all.index < 0 {
			all.index, index = t.index, t.by
		}
	}
	if all.index < 0 {
		return shard.Part{}, usagef("%s says that there are %d shards, and nothing says which one this is: pass --shard I/%d, or run it where "+
			jobIndex+" is set, as Indexed Jobs of Kubernetes do", count, all.count, all.count)
	}
	p := shard.Part{Index: all.index, Count: all.count}
	if err := p.Check(); err != nil {
		return shard.Part{}, usagef("%s: %w", both(index, count), err)
	}
	return p, nil
}

func both(index, count string) string {
	if index == count {
		return index
	}
	return index + " and " + count
}

// shardsSaid is what flags, file and environment say. JOB_COMPLETION_INDEX counts only beside --shards, since Kubernetes
// does not say how many there are. The variables of Cloud Run jobs and of AWS Batch arrays count where there is more than
// one task. FACTS D.
func (f file) shardsSaid(getenv func(string) string) ([]told, error) {
	var said []told
	if f.Shard != "" {
		p, err := shard.Parse(f.Shard)
		if err != nil {
			return nil, usagef("--shard: %q: %w", f.Shard, err)
		}
		said = append(said, told{"--shard", p.Index, p.Count})
	}
	if f.Shards < 0 || f.Shards > shard.MaxCount {
		return nil, usagef("--shards: there can be 1 to %d shards, not %d", shard.MaxCount, f.Shards)
	}
	if f.Shards > 0 {
		said = append(said, told{"--shards", -1, f.Shards})
	}
	read := func(name string) (int, error) {
		n, err := strconv.Atoi(getenv(name))
		if err != nil || n < 0 {
			return 0, usagef("%s is %q in the environment, which is no number: unset it, or pass --shard I/N", name, getenv(name))
		}
		return n, nil
	}
	if f.Shards > 0 && getenv(jobIndex) != "" {
		n, err := read(jobIndex)
		if err != nil {
			return nil, err
		}
		said = append(said, told{jobIndex, n, 0})
	}
	for _, names := range [][2]string{
		{"CLOUD_RUN_TASK_INDEX", "CLOUD_RUN_TASK_COUNT"}, {"AWS_BATCH_JOB_ARRAY_INDEX", "AWS_BATCH_JOB_ARRAY_SIZE"},
	} {
		if getenv(names[1]) == "" {
			continue
		}
		count, err := read(names[1])
		if err != nil {
			return nil, err
		}
		if count <= 1 {
			continue // one task is the whole
		}
		index, err := read(names[0])
		if err != nil {
			return nil, err
		}
		said = append(said, told{fmt.Sprintf("%s/%s", names[0], names[1]), index, count})
	}
	return said, nil
}

package stage

import (
	"cmp"
	"errors"
	"fmt"
	"io/fs"
	"slices"
	"time"

	"github.com/opencontainers/go-digest"

	"transship/internal/document"
	"transship/internal/workspace"
)

// ShardState is what is known of one shard of a copy.
type ShardState string

// The states.
const (
	ShardDone    ShardState = "done"         // everything of it is at the target
	ShardFailed  ShardState = "incomplete"   // something failed, or a tag was kept
	ShardStopped ShardState = "stopped"      // before it was done
	ShardStale   ShardState = "another plan" // it copied by another plan than most did, so what it did is another part
	ShardMissing ShardState = "missing"      // no workspace has results of it
)

// ShardStatus is what one shard did, by its latest results. Its traffic is of all results that there are of it.
type ShardStatus struct {
	Index      int              `json:"index"`
	State      ShardState       `json:"state"`
	Workspaces []string         `json:"workspaces"` // with results of it, the latest first
	Success    int              `json:"success"`
	Failed     int              `json:"failed"`
	Skipped    int              `json:"skipped"`
	EndedAt    time.Time        `json:"endedAt,omitzero"`
	Traffic    document.Traffic `json:"traffic"`
}

// Joined is what several machines did that copied parts of one plan. Of shards with another plan, only the traffic counts.
type Joined struct {
	Migration document.Migration `json:"migration"`
	Plan      digest.Digest      `json:"plan"` // of what most copied
	Shards    []ShardStatus      `json:"shards"`
	Without   []string           `json:"without"` // workspaces that have no results yet
	StartedAt time.Time          `json:"startedAt"`
	EndedAt   time.Time          `json:"endedAt"`
	Success   int                `json:"success"`
	Failed    int                `json:"failed"`
	Skipped   int                `json:"skipped"`
	Failures  []document.Failure `json:"failures"`
	Kept      []document.Tag     `json:"kept"`
	Gone      []document.Tag     `json:"gone"`
	Traffic   document.Traffic   `json:"traffic"`
}

// Open counts the shards that are not done.
func (j Joined) Open() (n int) {
	for _, s := range j.Shards {
		if s.State != ShardDone {
			n++
		}
	}
	return n
}

// WorkerResults are what one worker did.
type WorkerResults struct {
	Workspace string
	Results   document.Results
}

// ReadWorkers reads the results in the workspaces of several workers, of the named wave or of all. Those that have none yet
// are in without. No lock is taken: results are replaced whole.
func ReadWorkers(dirs []string, wave string) (found []WorkerResults, without []string, err error) {
	for _, dir := range dirs {
		one := WorkerResults{Workspace: dir}
		err := document.Read(workspace.At(dir, wave).Results(), document.KindResults, &one.Results)
		switch {
		case errors.Is(err, fs.ErrNotExist):
			without = append(without, dir)
		case err != nil:
			return nil, nil, err
		default:
			found = append(found, one)
		}
	}
	return found, without, nil
}

// JoinWorkers adds up what the workers did whose workspaces dirs are, of the named wave or of all.
func JoinWorkers(dirs []string, wave string) (Joined, error) {
	results, without, err := ReadWorkers(dirs, wave)
	if err != nil {
		return Joined{}, err
	}
	j, err := Join(results)
	j.Without = append(j.Without, without...)
	return j, err
}

// Join adds up what workers did. It is an error where their results are of no shards, of another migration, or of cuts
// into other numbers of shards.
func Join(all []WorkerResults) (Joined, error) {
	j := Joined{Without: []string{}, Failures: []document.Failure{}, Kept: []document.Tag{}, Gone: []document.Tag{}}
	if len(all) == 0 {
		return j, errors.New("none of the workspaces has results yet: name those of workers that have copied")
	}
	for _, one := range all {
		if err := belongs(one, all[0]); err != nil {
			return j, err
		}
	}
	j.Migration, j.Plan = all[0].Results.Migration, commonPlan(all)
	byShard := make([][]WorkerResults, all[0].Results.Shard.Count)
	for _, one := range all {
		byShard[one.Results.Shard.Index] = append(byShard[one.Results.Shard.Index], one)
	}
	for index, results := range byShard {
		j.add(index, results)
	}
	slices.SortStableFunc(j.Failures, func(a, b document.Failure) int {
		return cmp.Or(cmp.Compare(a.Source, b.Source), cmp.Compare(a.Target, b.Target))
	})
	return j, nil
}

// belongs says why the results of one worker do not go with those of another.
func belongs(one, with WorkerResults) error {
	shard, other := one.Results.Shard, with.Results.Shard
	if shard == nil {
		return fmt.Errorf("%s has the results of a copy of the whole, not of a shard: leave it out", one.Workspace)
	}
	if shard.Count < 1 || shard.Index < 0 || shard.Index >= shard.Count {
		return fmt.Errorf("%s has results of shard %d of %d, which there is not: they are damaged, so copy that shard anew", one.Workspace, shard.Index, shard.Count)
	}
	if d := with.Results.Migration.Differs(one.Results.Migration); d != "" {
		return fmt.Errorf("%s is of another migration than %s: %s (name the workspaces of one migration)", one.Workspace, with.Workspace, d)
	}
	if other != nil && shard.Count != other.Count {
		return fmt.Errorf("%s is one of %d shards, and %s one of %d: name the workspaces of one cut, or copy anew with one number of shards",
			one.Workspace, shard.Count, with.Workspace, other.Count)
	}
	return nil
}

// commonPlan is the plan that most workers copied by; of several, the one that was copied last.
func commonPlan(all []WorkerResults) digest.Digest {
	type votes struct {
		count int
		last  time.Time
	}
	byPlan := map[digest.Digest]votes{}
	for _, one := range all {
		v := byPlan[one.Results.Shard.Plan]
		v.count++
		if one.Results.EndedAt.After(v.last) {
			v.last = one.Results.EndedAt
		}
		byPlan[one.Results.Shard.Plan] = v
	}
	var best digest.Digest
	for plan, v := range byPlan {
		b := byPlan[best]
		if best == "" || cmp.Or(cmp.Compare(v.count, b.count), v.last.Compare(b.last), cmp.Compare(plan, best)) > 0 {
			best = plan
		}
	}
	return best
}

// add takes up the results of one shard. Those of the common plan go before others, and later ones before earlier.
func (j *Joined) add(index int, results []WorkerResults) {
	stale := func(one WorkerResults) int {
		if one.Results.Shard.Plan != j.Plan {
			return 1
		}
		return 0
	}
	slices.SortStableFunc(results, func(a, b WorkerResults) int {
		return cmp.Or(cmp.Compare(stale(a), stale(b)), b.Results.EndedAt.Compare(a.Results.EndedAt), cmp.Compare(a.Workspace, b.Workspace))
	})
	s := ShardStatus{Index: index, State: ShardMissing, Workspaces: []string{}}
	for _, one := range results {
		s.Workspaces = append(s.Workspaces, one.Workspace)
		addTraffic(&s.Traffic, one.Results.Traffic)
		if started := one.Results.StartedAt; j.StartedAt.IsZero() || started.Before(j.StartedAt) {
			j.StartedAt = started
		}
		if one.Results.EndedAt.After(j.EndedAt) {
			j.EndedAt = one.Results.EndedAt
		}
	}
	addTraffic(&j.Traffic, s.Traffic)
	if len(results) > 0 {
		last := results[0].Results
		s.EndedAt = last.EndedAt
		switch {
		case stale(results[0]) > 0:
			s.State = ShardStale
		case last.Stopped:
			s.State = ShardStopped
		case last.Failed > 0 || len(last.Kept) > 0:
			s.State = ShardFailed
		default:
			s.State = ShardDone
		}
		if s.State != ShardStale {
			s.Success, s.Failed, s.Skipped = last.Success, last.Failed, last.Skipped
			j.Success, j.Failed, j.Skipped = j.Success+last.Success, j.Failed+last.Failed, j.Skipped+last.Skipped
			j.Failures = append(j.Failures, last.Failures...)
			j.Kept, j.Gone = append(j.Kept, last.Kept...), append(j.Gone, last.Gone...)
		}
	}
	j.Shards = append(j.Shards, s)
}

func addTraffic(to *document.Traffic, t document.Traffic) {
	to.ManifestsRead += t.ManifestsRead
	to.ManifestsWritten += t.ManifestsWritten
	to.TagsWritten += t.TagsWritten
	to.BlobsRead += t.BlobsRead
	to.BytesRead += t.BytesRead
	to.BlobsMounted += t.BlobsMounted
	to.BlobsPresent += t.BlobsPresent
}

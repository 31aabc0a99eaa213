package sync

import (
	"fmt"
	"strings"
	"testing"

	"github.com/opencontainers/go-digest"
	"pgregory.net/rapid"

	"transship/internal/cloudsim"
	"transship/internal/cloudsim/corpus"
	"transship/internal/cloudsim/ecrsim"
	"transship/internal/cloudstest"
	"transship/internal/document"
	"transship/internal/ref"
)

func deleting(c *Config) { c.DeleteTags = true }

// Deletions are followed for tags that we wrote and nobody moved since, and for no digest; what is somebody else's stays.
func TestDeletionsAreFollowed(t *testing.T) {
	w := newWorld(t, cloudsim.Options{}, corpus.Flat(1, 6))
	s := w.sync(t, deleting)
	defer end(t, s)
	const name = "flat/app-0000"
	once(t, s)
	repo := w.ECR.Repository(name)
	target := w.AR.Image(cloudstest.Default().Join(name).String())
	v1, _ := repo.Content.TagDigest("v1")
	v2, _ := repo.Content.TagDigest("v2")
	v3, _ := repo.Content.TagDigest("v3")
	target.Tag("theirs", v1) // nobody but they have it
	target.Tag("v2", v3)     // they moved it
	repo.Delete(v1, "v1")
	repo.Delete(v2, "v2")
	state := once(t, s)
	if state.Cycle.Deleted != 1 || w.at(name, "v1") != "" || w.at(name, "v2") != v3 || w.at(name, "theirs") != v1 {
		t.Errorf("%+v: v1 at %q, v2 at %q", state.Cycle, w.at(name, "v1"), w.at(name, "v2"))
	}
	if _, ok := target.Manifest(v1); !ok {
		t.Error("the image went with its tag")
	}
	// It is pushed again, and deleted again: what the journal said once does not stand in the way.
	w.push(t, name, "v1", "again")
	once(t, s)
	again := w.at(name, "v1")
	repo.Delete(again, "v1")
	if state = once(t, s); again == "" || state.Cycle.Deleted != 1 || w.at(name, "v1") != "" {
		t.Errorf("the second time: %+v", state.Cycle)
	}
}

// Where an unexpected share vanishes at once, nothing is deleted until somebody says how much is right.
func TestTooManyDeletionsAreHeld(t *testing.T) {
	w := newWorld(t, cloudsim.Options{}, corpus.Flat(2, 40))
	s := w.sync(t, deleting)
	once(t, s)
	repo := w.ECR.Repository("flat/app-0000")
	for _, tag := range repo.Content.Tags()[:12] {
		d, _ := repo.Content.TagDigest(tag)
		repo.Delete(d, tag)
	}
	state := once(t, s)
	if state.Cycle.Deleted != 0 || len(state.Deletions) != 12 || len(state.Held) != 1 || !strings.Contains(state.Held[0], "--max-deletions 12") {
		t.Errorf("%+v %q", state.Cycle, state.Held)
	}
	if !strings.Contains(scrape(t, s), `transship_sync_deletions_total{kind="held"} 12`) {
		t.Error("held ones are not counted")
	}
	end(t, s)
	for _, most := range []int{11, 12} {
		s = w.sync(t, deleting, func(c *Config) { c.MaxDeletions = most })
		if state = once(t, s); (state.Cycle.Deleted == 12) != (most == 12) || (len(state.Held) == 0) != (most == 12) {
			t.Errorf("at most %d: %+v %q", most, state.Cycle, state.Held)
		}
		end(t, s)
	}
}

// A missing permission is told with what to do, and asked for once a repository.
func TestDeletionIsDenied(t *testing.T) {
	w := newWorld(t, cloudsim.Options{}, corpus.Flat(1, 40))
	s := w.sync(t, deleting)
	defer end(t, s)
	once(t, s)
	repo := w.ECR.Repository("flat/app-0000")
	for _, tag := range repo.Content.Tags()[:3] {
		d, _ := repo.Content.TagDigest(tag)
		repo.Delete(d, tag)
	}
	w.Sim.Faults.Set(cloudsim.Fault{Kind: "ar.api.*", Match: isDelete, Action: cloudsim.Status(403)})
	before := w.Sim.Counts()
	state := once(t, s)
	if len(state.Cycle.Failures) != 1 || !strings.Contains(state.Cycle.Failures[0].Hint, "artifactregistry.tags.delete") || len(state.Deletions) != 3 {
		t.Errorf("%+v", state.Cycle.Failures)
	}
	if f := state.Cycle.Failures[0]; strings.Contains(f.Error, f.Hint) {
		t.Errorf("the error says the hint, too: %+v", f)
	}
	if w.Sim.Faults.Fired() != 1 {
		t.Errorf("it was asked for %d times: %s", w.Sim.Faults.Fired(), w.Sim.Counts().Sub(before))
	}
}

// A tag that comes back while it is taken away is brought again within the same cycle.
func TestATagComesBackWhileItIsDeleted(t *testing.T) {
	w := newWorld(t, cloudsim.Options{}, corpus.Flat(1, 40))
	s := w.sync(t, deleting)
	defer end(t, s)
	const name = "flat/app-0000"
	once(t, s)
	repo := w.ECR.Repository(name)
	d, _ := repo.Content.TagDigest("v1")
	m, _ := repo.Content.Manifest(d)
	repo.Delete(d, "v1")
	w.Sim.Faults.Set(cloudsim.Fault{Kind: "ar.api.*", Match: isDelete, Action: func(rw writer, r *request, next handler) {
		next.ServeHTTP(rw, r)
		repo.Content.PutManifest(m)
		repo.Content.Tag("v1", d)
	}})
	once(t, s)
	if w.at(name, "v1") != d {
		t.Error("the tag is gone")
	}
}

// Whatever both sides hold, nothing is called lost that a source has, that we did not write or that somebody moved; and no
// more is followed than the share allows.
func TestAnyCensus(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		reg := cloudstest.Registry()
		mapping := ref.Mapping{Default: cloudstest.Default()}
		digests := rapid.SampledFrom([]digest.Digest{digest.FromString("a"), digest.FromString("b")})
		var inv document.Inventory
		wrote := map[key]digest.Digest{}
		has := map[key]bool{}
		at := map[key]digest.Digest{}
		for n := range rapid.IntRange(1, 3).Draw(t, "repositories") {
			repo := reg.Repository(fmt.Sprintf("app-%d", n))
			target, err := mapping.Map(repo)
			if err != nil {
				t.Fatal(err)
			}
			inv.Source.Repositories = append(inv.Source.Repositories, document.SourceRepository{Name: repo.Name, URI: repo})
			if rapid.IntRange(0, 5).Draw(t, "unlisted") == 0 {
				inv.Failures = append(inv.Failures, document.Failure{Source: repo.String()})
			}
			for i := range rapid.IntRange(0, 60).Draw(t, "tags") {
				k := key{target: target, tag: fmt.Sprintf("v%d", i)}
				there := digests.Draw(t, "there")
				at[k] = there
				inv.Target.Images = append(inv.Target.Images, document.TargetImage{URI: target, Digest: there, Tags: []string{k.tag}})
				if rapid.Bool().Draw(t, "ours") {
					wrote[k] = digests.Draw(t, "wrote")
				}
				if rapid.IntRange(0, 3).Draw(t, "source") > 0 {
					has[k] = true
					inv.Source.Images = append(inv.Source.Images, document.SourceImage{URI: repo, Digest: digests.Draw(t, "now"), Tags: []string{k.tag}})
				}
			}
		}
		last := func(target ref.TargetImage, tag string) digest.Digest { return wrote[key{target: target, tag: tag}] }
		c := count(inv, mapping, ref.Scope{}, last)
		lostOf := map[ref.TargetImage]int{}
		for _, l := range c.lost {
			k := key{target: l.target, tag: l.tag}
			if has[k] || wrote[k] != at[k] || l.digest != at[k] {
				t.Fatalf("%v is called lost", l)
			}
			for _, f := range inv.Failures {
				if f.Source == l.sources[0].String() {
					t.Fatalf("%v is of a repository that could not be listed", l)
				}
			}
			lostOf[l.target]++
		}
		follow, held := c.judge(0)
		of := map[ref.TargetImage]int{}
		for _, l := range follow {
			of[l.target]++
		}
		for target, n := range of {
			if n > 10 && n*10 > c.ours[target] {
				t.Fatalf("%d of %d are followed", n, c.ours[target])
			}
		}
		if (len(follow) == len(c.lost)) != (len(held) == 0) {
			t.Fatalf("%d of %d are followed, and %q told", len(follow), len(c.lost), held)
		}
		if all, none := c.judge(max(1, len(c.lost))); len(all) != len(c.lost) || none != nil {
			t.Fatal("what is expected is held")
		}
	})
}

// An image in cold storage still has its tags: that is no deletion.
func TestArchivedIsNotDeleted(t *testing.T) {
	w := newWorld(t, cloudsim.Options{}, corpus.Flat(1, 20))
	s := w.sync(t, deleting)
	defer end(t, s)
	once(t, s)
	repo := w.ECR.Repository("flat/app-0000")
	d, _ := repo.Content.TagDigest("v1")
	repo.SetStatus(d, ecrsim.StatusArchived)
	if state := once(t, s); len(state.Deletions) != 0 || w.at("flat/app-0000", "v1") != d {
		t.Errorf("%+v", state.Deletions)
	}
}

package estimate

import (
	"fmt"
	"testing"
	"time"

	"github.com/opencontainers/go-digest"
	"pgregory.net/rapid"

	"transship/internal/document"
	"transship/internal/ref"
)

// saved finds what one reason saves.
func saved(e document.Estimate, reason string) document.EstimatedSaving {
	for _, s := range e.Savings {
		if s.Reason == reason {
			return s
		}
	}
	return document.EstimatedSaving{}
}

// What two images share is not saved with one of them.
func TestOnlyWhatNothingElseNeedsIsSaved(t *testing.T) {
	w := pair()
	w.listed("a").LastPulledAt = now.AddDate(0, 0, -200)
	s := saved(w.make(), document.SavingNotPulled)
	if s.Images != 1 || s.Bytes != GB || !near(s.Egress, 0.09) || !near(s.Monthly, (GB+10)*0.10/GB) {
		t.Errorf("saved: %+v", s)
	}
	w.listed("b").LastPulledAt = time.Time{}
	if s := saved(w.make(), document.SavingNotPulled); s.Images != 2 || s.Bytes != 6*GB {
		t.Errorf("saved of both: %+v", s)
	}
	w.listed("b").PushedAt = now.AddDate(0, 0, -1)
	if s := saved(w.make(), document.SavingNotPulled); s.Images != 1 {
		t.Errorf("what was pushed yesterday counts as not used: %+v", s)
	}
	w.landed(us, "app", "a", "v1")
	if s := saved(w.make(), document.SavingNotPulled); s.Images != 0 || s.Bytes != 0 {
		t.Errorf("what is there already is saved: %+v", s)
	}
}

func TestWithoutAnyRecordedPullNobodyKnows(t *testing.T) {
	w := pair()
	w.listed("a").LastPulledAt, w.listed("b").LastPulledAt = time.Time{}, time.Time{}
	if s := saved(w.make(), document.SavingNotPulled); s.Unknown == "" || s.Images != 0 {
		t.Errorf("saved: %+v", s)
	}
}

// A child of a tagged index is needed; what describes an image goes with it.
func TestUntagged(t *testing.T) {
	w := newWorld()
	w.manifest("child", w.blob("child", 100))
	w.manifest("index").Children = []digest.Digest{hash("child")}
	w.manifest("old", w.blob("old", 1000))
	w.manifest("signature", w.blob("signature", 1)).Subject = hash("old")
	w.manifest("sbom", w.blob("sbom", 7)).Subject = hash("index")
	w.image(virginia, us, "app", "index:v1", "child", "old", "signature", "sbom")
	if s := saved(w.make(), document.SavingUntagged); s.Images != 2 || s.Bytes != 1001 {
		t.Errorf("saved: %+v", s)
	}
}

func TestExpired(t *testing.T) {
	w := pair()
	if s := saved(w.make(), document.SavingExpired); s.Unknown == "" {
		t.Errorf("without policies: %+v", s)
	}
	w.c.Expired = map[ref.Repository]map[digest.Digest]bool{virginia.Repository("app"): {hash("b"): true}}
	if s := saved(w.make(), document.SavingExpired); s.Images != 1 || s.Bytes != 2*GB || s.Unknown != "" {
		t.Errorf("saved: %+v", s)
	}
}

// Whatever is planned and there, the figures agree with each other.
func TestTheFiguresAgree(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		w := drawWorld(t)
		e := w.make()
		wanted, there := map[int]bool{}, map[int]bool{}
		position := map[digest.Digest]int{}
		for n, m := range w.c.Plan.Manifests {
			position[m.Digest] = n
		}
		for _, i := range w.c.Inventory.Target.Images {
			for _, b := range w.c.Plan.Manifests[position[i.Digest]].Blobs {
				there[b] = true
			}
		}
		for _, i := range w.c.Plan.Images {
			for _, r := range i.References {
				for _, b := range w.c.Plan.Manifests[position[r.Digest]].Blobs {
					wanted[b] = true
				}
			}
		}
		var all, missing int64
		for b := range wanted {
			all += w.c.Plan.Blobs[b].Size
			if !there[b] {
				missing += w.c.Plan.Blobs[b].Size
			}
		}
		if m := e.Move; m.UniqueBytes != all || m.Bytes != missing || m.PresentBytes != all-missing {
			t.Fatalf("%+v, want %d to move of %d", m, missing, all)
		}
		for _, s := range e.Savings {
			if s.Bytes < 0 || s.Bytes > all || s.Egress < 0 || s.Monthly < 0 || s.Egress > cost(missing, 0.09)+1e-12 {
				t.Fatalf("saved: %+v of %+v", s, e.Move)
			}
		}
		var sum int64
		for _, r := range e.Egress {
			sum += r.Bytes
		}
		if sum != e.Move.Bytes {
			t.Fatalf("%d bytes of egress, %d to move", sum, e.Move.Bytes)
		}
		for _, l := range e.Loads {
			if e.Time.Total < l.Seconds || e.Time.Total < e.Time.TransferFor {
				t.Fatalf("%v s are less than the part %+v", e.Time.Total, l)
			}
		}
		for _, s := range e.Storage {
			if s.After < s.Before {
				t.Fatalf("a copy takes away: %+v", s)
			}
		}
	})
}

// drawWorld draws images of one source at one host, of which some are there.
func drawWorld(t *rapid.T) *world {
	w := newWorld()
	n := rapid.IntRange(1, 8).Draw(t, "manifests")
	for i := range n {
		m := w.manifest(fmt.Sprint(i))
		for _, b := range rapid.SliceOfNDistinct(rapid.IntRange(0, 6), 0, 3, rapid.ID).Draw(t, "blobs") {
			m.Blobs = append(m.Blobs, w.blob(fmt.Sprint(b), int64(1)<<b))
		}
		if i > 0 && rapid.Bool().Draw(t, "index") {
			m.Children = []digest.Digest{hash(fmt.Sprint(rapid.IntRange(0, i-1).Draw(t, "child")))}
		} else if i > 0 && rapid.Bool().Draw(t, "referrer") {
			m.Subject = hash(fmt.Sprint(rapid.IntRange(0, i-1).Draw(t, "subject")))
		}
	}
	for _, path := range []string{"one", "two"} {
		var references []string
		for _, i := range rapid.SliceOfNDistinct(rapid.IntRange(0, n-1), 1, n, rapid.ID).Draw(t, "references") {
			name := fmt.Sprint(i)
			if rapid.Bool().Draw(t, "landed") {
				w.landed(us, path, name)
			}
			if rapid.Bool().Draw(t, "tagged") {
				name += ":v" + name
			}
			references = append(references, name)
		}
		w.image(virginia, us, path, references...)
	}
	for n := range w.c.Inventory.Source.Images {
		w.c.Inventory.Source.Images[n].LastPulledAt = now.AddDate(0, 0, -rapid.IntRange(0, 400).Draw(t, "pulled"))
	}
	return w
}

package stage

import (
	"testing"

	"transship/internal/cloudsim"
	"transship/internal/cloudsim/corpus"
	"transship/internal/cloudstest"
	"transship/internal/document"
	"transship/internal/ref"
	"transship/internal/verify"
)

// following is a pipeline that follows a world, of which it has seen the repositories.
func following(t *testing.T, w *cloudstest.World) (*Pipeline, document.Inventory) {
	t.Helper()
	p := pipeline(t, w)
	closed, err := p.Follow()
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := closed(); err != nil {
			t.Error(err)
		}
	})
	inv, err := p.Inventory(t.Context(), Hooks{})
	if err != nil {
		t.Fatal(err)
	}
	return p, inv
}

// outcomes counts what became of looks.
func outcomes(brought []Brought) map[Outcome]int {
	out := map[Outcome]int{}
	for _, b := range brought {
		out[b.Outcome]++
	}
	return out
}

// Brought one by one, by tag or by digest, everything of the demo arrives: indexes with their children, signatures, charts,
// schema 1. What is archived is left out.
func TestBringAnything(t *testing.T) {
	w := cloudstest.New(t, cloudsim.Options{}, corpus.Demo())
	p, inv := following(t, w)
	total := map[Outcome]int{}
	for n, i := range inv.Source.Images {
		l := Look{Repository: i.URI, Digest: i.Digest}
		if len(i.Tags) > 0 && n%2 == 0 {
			l = Look{Repository: i.URI, Tag: i.Tags[0]}
		}
		brought, results, err := p.Bring(t.Context(), []Look{l}, Hooks{})
		if err != nil || results.Failed != 0 {
			t.Fatalf("%v: %v %+v", l, err, results.Failures)
		}
		for outcome, n := range outcomes(brought) {
			total[outcome] += n
		}
		want := Arrived
		if i.Status != document.StatusActive {
			want = LeftOut
		}
		if brought[0].Outcome != want {
			t.Errorf("%v: %+v", l, brought[0])
		}
	}
	v, err := p.Verify(t.Context(), true, Hooks{})
	if err != nil {
		t.Fatal(err)
	}
	missing := v.Cases[:0:0]
	for _, c := range v.Cases {
		if c.Kind == document.CaseMissing || c.Kind == document.CaseMismatched {
			missing = append(missing, c)
		}
	}
	if !verify.OK(v) {
		t.Errorf("%d verified, %v: %+v", v.Verified, total, missing)
	}
}

// A look at what is right already asks a few questions, and changes nothing.
func TestRequestsOfALook(t *testing.T) {
	w := cloudstest.New(t, cloudsim.Options{}, corpus.Flat(2, 30))
	p, inv := following(t, w)
	l := Look{Repository: inv.Source.Images[3].URI, Tag: inv.Source.Images[3].Tags[0], Digest: inv.Source.Images[3].Digest}
	if _, _, err := p.Bring(t.Context(), []Look{l}, Hooks{}); err != nil {
		t.Fatal(err)
	}
	before := w.Sim.Counts()
	brought, results, err := p.Bring(t.Context(), []Look{l, l}, Hooks{})
	if err != nil || brought[0].Outcome != Arrived || brought[0].Copied || brought[1].Outcome != Arrived || results.Success != 0 {
		t.Errorf("%+v %v", brought, err)
	}
	if got := w.Sim.Counts().Sub(before); got.Total() != 2 || got.Of("ecr.DescribeImages") != 1 || got.Of("ar.v2.manifest") != 1 {
		t.Errorf("a look took\n%s", got)
	}
}

// A tag moves to another image of the same repository, whether or not anybody remembers that it was ours; a tag of
// somebody else's stays; what is gone is no failure; and what only a cycle can bring waits.
func TestOutcomes(t *testing.T) {
	w := cloudstest.New(t, cloudsim.Options{}, corpus.Flat(2, 3))
	at := cloudstest.Default()
	if err := w.AR.Load(at.Repository.Location, at.Repository.Project, at.Repository.ID, at.Path, corpus.Generate(corpus.Flat(2, 3))); err != nil {
		t.Fatal(err)
	}
	p, inv := following(t, w)
	repo := inv.Source.Images[0].URI
	source := w.ECR.Repository(repo.Name)
	target := w.AR.Image(at.Join(repo.Name).String())
	v1, _ := source.Content.TagDigest("v1")
	v2, _ := source.Content.TagDigest("v2")
	source.Content.Tag("v1", v2)
	look := func(l Look) Brought {
		t.Helper()
		brought, _, err := p.Bring(t.Context(), []Look{l}, Hooks{})
		if err != nil {
			t.Fatal(err)
		}
		return brought[0]
	}
	if b := look(Look{Repository: repo, Tag: "v1", Digest: v1}); b.Outcome != Arrived || !b.Copied {
		t.Errorf("a moved tag: %+v", b)
	}
	if got, _ := target.TagDigest("v1"); got != v2 {
		t.Errorf("v1 is at %s", got)
	}
	other := cloudstest.Registry().Repository(inv.Source.Images[5].URI.Name)
	theirs, _ := w.ECR.Repository(other.Name).Content.TagDigest("v0")
	if m, ok := w.AR.Image(at.Join(other.Name).String()).Manifest(theirs); ok {
		if err := w.AR.Record(at.Repository.Location, at.Repository.Project, at.Repository.ID, repo.Name, "v0", m.MediaType, m.Bytes); err != nil {
			t.Fatal(err)
		}
	}
	if b := look(Look{Repository: repo, Tag: "v0"}); b.Outcome != LeftOut || b.Reason == "" {
		t.Errorf("somebody else's tag: %+v", b)
	}
	if b := look(Look{Repository: repo, Tag: "never"}); b.Outcome != Gone {
		t.Errorf("what is gone: %+v", b)
	}
	unknown := cloudstest.Registry().Repository("brand/new")
	if b := look(Look{Repository: unknown, Tag: "v1"}); b.Outcome != Waiting {
		t.Errorf("an unknown repository: %+v", b)
	}
	foreign := ref.Registry{Account: "999999999999", Region: "us-east-1"}.Repository("app")
	if b := look(Look{Repository: foreign, Tag: "v1"}); b.Outcome != LeftOut {
		t.Errorf("a foreign registry: %+v", b)
	}
}

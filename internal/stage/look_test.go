package stage

import (
	"context"
	"errors"
	"testing"
	"time"

	"transship/internal/cloudsim"
	"transship/internal/cloudsim/corpus"
	"transship/internal/cloudstest"
	"transship/internal/plan"
	"transship/internal/registry"
	"transship/internal/underrace"
)

// A look right after a verification finds nothing to tell, whatever rules left out: archived images, names that are refused,
// images that are not selected, repositories that ECR fills.
func TestALookAfterAVerificationIsQuiet(t *testing.T) {
	if underrace.On { // what it lists, other tests list, too
		t.Skip("it takes ten times as long under the race detector")
	}
	for name, selection := range map[string]plan.Selection{
		"everything": {}, "the newest": {Newest: 1}, "tagged alone": {TaggedOnly: true},
	} {
		t.Run(name, func(t *testing.T) {
			w := cloudstest.New(t, cloudsim.Options{}, corpus.Demo())
			p := pipeline(t, w)
			p.Rules.Selection = selection
			migrate(t, p, false)
			p.Rules.Selection = plan.Selection{} // a status takes no flags of the selection
			before := w.Sim.Counts()
			s, err := p.StatusNow(t.Context(), nil)
			if err != nil {
				t.Fatal(err)
			}
			wave := s.Waves[0]
			if n := wave.Now; n == nil || n.Source == nil || n.Target == nil {
				t.Fatalf("the look saw %+v", n)
			}
			source, target := *wave.Now.Source, *wave.Now.Target
			if source.Pushed+source.Moved+source.Gone+source.Unseen != 0 || source.Repositories == 0 {
				t.Errorf("the source: %+v", source)
			}
			if target.References == 0 || target.Absent+target.Differ+target.Arrived != 0 || target.InPlace != target.References {
				t.Errorf("the target: %+v", target)
			}
			if wave.State != StateVerified && wave.State != StateIncomplete || wave.Now.VerifyAgain {
				t.Errorf("the wave is %s, to verify again: %t", wave.State, wave.Now.VerifyAgain)
			}
			if n := w.Sim.Counts().Sub(before); n.Of("ecr.BatchGetImage", "ecr.v2", "s3", "ar.v2") != 0 {
				t.Errorf("more than listings:\n%s", n)
			}
		})
	}
}

// What a look costs: R/1000 + R + N/1000 at the source, one a repository and N/1000 at the target.
func TestRequestsOfAQuickLook(t *testing.T) {
	const repositories, each = 30, 40
	w := cloudstest.New(t, cloudsim.Options{}, corpus.Flat(repositories, each))
	at := cloudstest.Default()
	if err := w.AR.Load(at.Repository.Location, at.Repository.Project, at.Repository.ID, at.Path, corpus.Generate(corpus.Flat(repositories, each))); err != nil {
		t.Fatal(err)
	}
	p := pipeline(t, w)
	migrate(t, p, false)
	before := w.Sim.Counts()
	s, err := p.StatusNow(t.Context(), nil)
	if err != nil {
		t.Fatal(err)
	}
	if got := s.Waves[0].Now.Target.InPlace; got != repositories*each {
		t.Errorf("%d references in place, want %d", got, repositories*each)
	}
	n := w.Sim.Counts().Sub(before)
	for kind, want := range map[string]int{"ecr.DescribeRepositories": 1, "ecr.DescribeImages": repositories, "ar.api.repositories.get": 1} {
		if got := n.Of(kind); got != want {
			t.Errorf("%d requests %s, want %d", got, kind, want)
		}
	}
	const pages = (repositories*each + 999) / 1000
	if want := 1 + repositories + 1 + pages; n.Total() != want {
		t.Errorf("%d requests, want %d:\n%s", n.Total(), want, n)
	}
}

// Where the time is up, or nothing could be opened, the documents answer, and the look says why it saw nothing. A stop is no
// answer.
func TestALookThatSeesNothing(t *testing.T) {
	w := cloudstest.New(t, cloudsim.Options{}, corpus.Flat(2, 2))
	p := pipeline(t, w)
	migrate(t, p, false)
	over, cancel := context.WithDeadline(t.Context(), time.Unix(0, 0))
	defer cancel()
	s, err := p.StatusNow(over, nil)
	if err != nil || s.Waves[0].State != StateVerified || s.Waves[0].Verified != 2 {
		t.Fatalf("%v, %+v", err, s.Waves)
	}
	if u := s.Look.Unseen; len(u) != 2 || u[0].Side != registry.Source || u[1].Side != registry.Target ||
		u[0].Class != string(registry.TimedOut) || u[1].Class != string(registry.TimedOut) || u[0].Hint == "" {
		t.Errorf("unseen: %+v", u)
	}
	if n := s.Waves[0].Now; n.Source != nil || n.Target != nil || n.VerifyAgain {
		t.Errorf("the look saw %+v", n)
	}
	stopped, stop := context.WithCancel(t.Context())
	stop()
	if _, err := p.StatusNow(stopped, nil); !errors.Is(err, context.Canceled) {
		t.Errorf("a stop: %v", err)
	}
	p.Sources, p.Target = nil, nil
	before := w.Sim.Counts()
	s, err = p.StatusNow(t.Context(), []Unseen{NewUnseen(registry.Source, "east", errors.New("no credentials"))})
	if err != nil || len(s.Look.Unseen) != 1 || s.Waves[0].Now.Source != nil || s.Waves[0].State != StateVerified {
		t.Errorf("%v, %+v", err, s)
	}
	if n := w.Sim.Counts().Sub(before).Total(); n != 0 {
		t.Errorf("%d requests to nobody", n)
	}
}

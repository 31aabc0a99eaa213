package sync

import (
	"context"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"transship/internal/cloudsim"
	"transship/internal/cloudsim/corpus"
	"transship/internal/document"
)

// once runs one cycle that must look at everything.
func once(t testing.TB, s *Syncer) document.Sync {
	t.Helper()
	state, err := s.Once(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	return state
}

// A cycle without changes costs the bulk listings only: R/1000 + R + N/1000 at the source and one question about its
// pull-through rules, N/1000 and one for the repository at the target. One that has something to bring costs that besides.
func TestRequestsOfACycle(t *testing.T) {
	const repositories, each = 12, 90
	w := newWorld(t, cloudsim.Options{}, corpus.Flat(repositories, each))
	s := w.sync(t)
	defer end(t, s)
	if state := once(t, s); state.Cycle.Copied != repositories*each || state.Cycle.Behind != 0 || len(state.Cycle.Failures) != 0 {
		t.Fatalf("the first cycle: %+v", state.Cycle)
	}
	before := w.Sim.Counts()
	state := once(t, s)
	got := w.Sim.Counts().Sub(before)
	if state.Cycle.Found+state.Cycle.Copied+state.Cycle.Behind+len(state.Cycle.Failures) != 0 || state.Cycle.Images != repositories*each {
		t.Errorf("the second cycle: %+v", state.Cycle)
	}
	want := map[string]int{"ecr.DescribeRepositories": 1, "ecr.DescribeImages": repositories, "ecr.DescribePullThroughCacheRules": 1}
	sum := 0
	for kind, n := range want {
		sum += n
		if got.Of(kind) != n {
			t.Errorf("%d requests %s, want %d", got.Of(kind), kind, n)
		}
	}
	const pages = (repositories*each + 999) / 1000
	if target := got.Of("ar"); target != pages+1 || got.Total() != sum+target {
		t.Errorf("a cycle without changes took more than listings:\n%s", got)
	}

	moved := w.push(t, "flat/app-0003", "latest", "new")
	before = w.Sim.Counts()
	state = once(t, s)
	more := w.Sim.Counts().Sub(before)
	if state.Cycle.Copied != 1 || w.at("flat/app-0003", "latest") != moved {
		t.Errorf("the third cycle: %+v", state.Cycle)
	}
	if n := more.Total() - got.Total(); n > 12 {
		t.Errorf("one image took %d requests:\n%s", n, more)
	}
}

// Tags move, latest too; repositories come, and are created where the rules lead to new ones; what is deleted stays and is
// told.
func TestACycleFollows(t *testing.T) {
	w := newWorld(t, cloudsim.Options{}, corpus.Flat(2, 3))
	s := w.sync(t)
	defer end(t, s)
	once(t, s)
	w.push(t, "flat/app-0000", "latest", "one")
	w.push(t, "new/one", "v1", "two")
	once(t, s)
	second := w.push(t, "flat/app-0000", "latest", "three")
	repo := w.ECR.Repository("flat/app-0001")
	v1, _ := repo.Content.TagDigest("v1")
	repo.Delete(v1, "v1")
	state := once(t, s)
	if w.at("flat/app-0000", "latest") != second || w.at("new/one", "v1") == "" {
		t.Errorf("not all was followed: %q", w.agree(t))
	}
	if len(state.Deletions) != 1 || state.Deletions[0].Tag != "v1" || state.Cycle.Deleted != 0 || w.at("flat/app-0001", "v1") != v1 {
		t.Errorf("deletions: %+v", state.Deletions)
	}
	if text := scrape(t, s); !strings.Contains(text, `transship_sync_deletions_total{kind="seen"} 1`) || !strings.Contains(text, `transship_images_behind 0`) {
		t.Error(text)
	} else if !strings.Contains(text, `transship_requests_total{code="200",host="api.ecr.us-east-1.amazonaws.com"}`) ||
		!strings.Contains(text, `transship_requests_total{code="201",host="us-docker.pkg.dev"}`) || strings.Contains(text, `transship_token_age_seconds{side="source"} 0`+"\n") {
		t.Errorf("requests are not counted, or there is no token:\n%s", text)
	}
}

// A repository that cannot be listed does not hold up the others, and looks like no deletion.
func TestOneRepositoryFails(t *testing.T) {
	w := newWorld(t, cloudsim.Options{}, corpus.Flat(3, 3))
	s := w.sync(t, func(c *Config) { c.DeleteTags = true })
	defer end(t, s)
	once(t, s)
	w.Sim.Faults.Set(cloudsim.Fault{Kind: "ecr.DescribeImages", Times: 1, Action: cloudsim.AWSError(400, "AccessDeniedException", "not authorized")})
	d := w.push(t, "flat/app-0000", "new", "a")
	e := w.push(t, "flat/app-0001", "new", "b")
	f := w.push(t, "flat/app-0002", "new", "c")
	state := once(t, s)
	if len(state.Cycle.Failures) != 1 || state.Cycle.Copied != 2 || len(state.Deletions) != 0 || state.Cycle.Deleted != 0 {
		t.Errorf("%+v %+v", state.Cycle, state.Deletions)
	}
	w.Sim.Faults.Clear()
	if state = once(t, s); state.Cycle.Copied != 1 || w.at("flat/app-0000", "new") != d || w.at("flat/app-0001", "new") != e || w.at("flat/app-0002", "new") != f {
		t.Errorf("%+v", state.Cycle)
	}
}

// Everything is verified once in a while, by a fresh look, and a new process remembers when that was.
func TestEverythingIsVerified(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t, cloudsim.Options{}, corpus.Flat(2, 3))
		daily := func(c *Config) { c.VerifyEvery = 24 * time.Hour }
		for n, want := range []bool{true, false, false, true} {
			s := w.sync(t, daily)
			before := w.Sim.Counts()
			state := once(t, s)
			lists := w.Sim.Counts().Sub(before).Of("ecr.DescribeRepositories")
			if verified := lists == 2; verified != want || state.LastVerified.IsZero() || state.Missing+state.Mismatched != 0 {
				t.Errorf("cycle %d listed %d times: %+v", n, lists, state)
			}
			end(t, s)
			time.Sleep(10 * time.Hour)
		}
		_ = w.Sim.Close()
	})
}

// The loop keeps its interval, one cycle at a time, and ends cleanly.
func TestRunKeepsTheInterval(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t, cloudsim.Options{}, corpus.Flat(1, 2))
		var began []time.Duration
		start := time.Now()
		s := w.sync(t, func(c *Config) {
			c.Interval = 5 * time.Minute
			c.Report = func(state document.Sync) { began = append(began, state.Cycle.StartedAt.Sub(start)) }
		})
		if s.Ready() == nil || s.Healthy() != nil {
			t.Error("ready before the first cycle, or not healthy")
		}
		ctx, cancel := context.WithCancel(t.Context())
		done := make(chan error)
		go func() { done <- s.Run(ctx) }()
		time.Sleep(12 * time.Minute)
		if err := s.Ready(); err != nil {
			t.Error(err)
		}
		// A cycle that takes as long as two and a half intervals skips two.
		w.Sim.Faults.Set(cloudsim.Fault{Kind: "ecr.DescribeImages", Times: 1, Action: cloudsim.Delay(90 * time.Second)},
			cloudsim.Fault{Kind: "ar.api.repositories.get", Times: 8, Action: cloudsim.Delay(100 * time.Second)})
		time.Sleep(30 * time.Minute)
		cancel()
		if err := <-done; err != nil {
			t.Error(err)
		}
		for n := 1; n < len(began); n++ {
			if gap := began[n] - began[n-1]; gap%(5*time.Minute) > time.Second && 5*time.Minute-gap%(5*time.Minute) > time.Second {
				t.Errorf("cycle %d began %s after the one before", n, gap)
			}
		}
		if len(began) < 6 || len(began) > 9 {
			t.Errorf("%d cycles in 42 minutes: %v", len(began), began)
		}
		end(t, s)
		_ = w.Sim.Close()
	})
}

// Jitter is at most a tenth of the interval.
func TestJitter(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		for _, random := range []float64{0, 0.25, 0.999} {
			s := &Syncer{Config: Config{Interval: 10 * time.Minute, Random: func() float64 { return random }}, now: time.Now, kicked: make(chan struct{}, 1)}
			began := time.Now()
			if !s.rest(t.Context(), began) {
				t.Error("it ended")
			}
			want := 10*time.Minute + time.Duration((random*2-1)*float64(time.Minute))
			if got := time.Since(began); got != want {
				t.Errorf("%v: rested %s, want %s", random, got, want)
			}
		}
	})
}

// What the sync does not know of any more, it says; and a target that lost a repository does not hold up the rest.
func TestAVanishedRepository(t *testing.T) {
	w := newWorld(t, cloudsim.Options{}, corpus.Flat(3, 12))
	s := w.sync(t, func(c *Config) { c.DeleteTags = true })
	defer end(t, s)
	once(t, s)
	w.ECR.DeleteRepository("flat/app-0001")
	state := once(t, s)
	if len(state.Vanished) != 1 || state.Vanished[0].Tags != 12 || state.Cycle.Deleted != 0 || w.at("flat/app-0001", "v1") == "" {
		t.Errorf("%+v %+v", state.Vanished, state.Cycle)
	}
	if state = once(t, s); len(state.Vanished) != 1 {
		t.Errorf("it was forgotten: %+v", state.Vanished)
	}
	var read document.Sync
	if err := document.ReadFor(s.pipeline.Workspace.Sync(), document.KindSync, s.pipeline.Rules.Migration, &read); err != nil || len(read.Repositories) != 2 {
		t.Errorf("sync.json: %v, %d repositories", err, len(read.Repositories))
	}
}

package sync

import (
	"context"
	"fmt"
	"math/rand/v2"
	"net/http"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/opencontainers/go-digest"

	"transship/internal/cloudsim"
	"transship/internal/cloudsim/corpus"
	"transship/internal/cloudsim/sqssim"
	"transship/internal/cloudstest"
	"transship/internal/document"
	"transship/internal/stage"
	"transship/internal/underrace"
)

// running runs a sync until the test says otherwise.
func running(t testing.TB, s *Syncer) (stop func()) {
	t.Helper()
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan error, 1)
	go func() { done <- s.Run(ctx) }()
	return func() {
		t.Helper()
		cancel()
		select {
		case err := <-done:
			if err != nil {
				t.Error(err)
			}
		case <-time.After(10 * time.Second):
			t.Fatal("it did not stop within 10 seconds")
		}
		end(t, s)
	}
}

// eventually waits for something that goes on in other goroutines.
func eventually(t testing.TB, within time.Duration, what func() bool) time.Duration {
	t.Helper()
	start := time.Now()
	for deadline := start.Add(within); !what(); {
		if time.Now().After(deadline) {
			t.Fatalf("not within %s", within)
		}
		time.Sleep(2 * time.Millisecond) // the embedded clouds and the product are many goroutines over connections
	}
	return time.Since(start)
}

// An image that is pushed to ECR is at the target in under 2 seconds from its event, without a cycle; its message goes when
// that was verified.
func TestAPushArrivesWithinTwoSeconds(t *testing.T) {
	w := newWorld(t, cloudsim.Options{}, corpus.Flat(3, 20))
	w.ECR.SetEvents(w.queue.Send)
	cycled := make(chan document.Sync, 8)
	s := w.sync(t, func(c *Config) {
		c.Queues, c.Interval = []Queue{w.open(t)}, time.Hour
		c.Report = func(state document.Sync) { cycled <- state }
	})
	defer running(t, s)()
	<-cycled
	listings := w.Sim.Counts().Of("ecr.DescribeRepositories")
	for n := range 5 {
		d := w.push(t, fmt.Sprintf("flat/app-000%d", n%3), "latest", fmt.Sprint("image ", n))
		took := eventually(t, 2*time.Second, func() bool { return w.at(fmt.Sprintf("flat/app-000%d", n%3), "latest") == d })
		t.Logf("push %d was there after %s", n, took)
	}
	eventually(t, 5*time.Second, func() bool { return w.queue.Len() == 0 })
	if n := w.Sim.Counts().Of("ecr.DescribeRepositories"); n != listings {
		t.Errorf("%d listings for an event", n-listings)
	}
	text := scrape(t, s)
	if !strings.Contains(text, `transship_events_total{action="push"} 5`) || !strings.Contains(text, "transship_sync_lag_seconds_count 5") {
		t.Error(text)
	}
}

// Where a tag moves while its image is on its way, the older copy does not win.
func TestASlowCopyDoesNotWin(t *testing.T) {
	w := newWorld(t, cloudsim.Options{}, corpus.Flat(1, 3))
	s := w.sync(t)
	defer end(t, s)
	once(t, s)
	const name = "flat/app-0000"
	repo := cloudstest.Registry().Repository(name)
	first := w.push(t, name, "latest", "first")
	var second digest.Digest
	w.Sim.Faults.Set(cloudsim.Fault{Kind: "s3.*", Times: 1, Action: func(rw writer, r *request, next handler) {
		w.Sim.Faults.Clear()
		second = w.push(t, name, "latest", "second")
		if _, err := s.bring(t.Context(), []stage.Look{{Repository: repo, Tag: "latest", Digest: second}}); err != nil {
			t.Error(err)
		}
		if w.at(name, "latest") != second {
			t.Error("the second one is not there")
		}
		next.ServeHTTP(rw, r)
	}})
	if _, err := s.bring(t.Context(), []stage.Look{{Repository: repo, Tag: "latest", Digest: first}}); err != nil {
		t.Error(err)
	}
	if second == "" || w.at(name, "latest") != second {
		t.Errorf("latest is at %s, want %s", w.at(name, "latest"), second)
	}
}

// Where an event brings a tag while a cycle copies by an older plan, the cycle does not win.
func TestAnOldPlanDoesNotWin(t *testing.T) {
	w := newWorld(t, cloudsim.Options{}, corpus.Flat(1, 3))
	q := w.open(t)
	s := w.sync(t)
	defer end(t, s)
	once(t, s)
	const name = "flat/app-0000"
	w.push(t, name, "latest", "first")
	w.ECR.SetEvents(w.queue.Send)
	var second digest.Digest
	w.Sim.Faults.Set(cloudsim.Fault{Kind: "s3.*", Times: 1, Action: func(rw writer, r *request, next handler) {
		w.Sim.Faults.Clear()
		second = w.push(t, name, "latest", "second")
		s.drain(t.Context(), q)
		if w.at(name, "latest") != second || w.queue.Len() != 0 {
			t.Error("the second one is not there")
		}
		next.ServeHTTP(rw, r)
	}})
	once(t, s)
	if second == "" || w.at(name, "latest") != second {
		t.Errorf("latest is at %s, want %s", w.at(name, "latest"), second)
	}
}

// Messages that cannot be understood stay for the dead-letter queue, and are told of once; others go on, and what is not
// about images goes.
func TestPoisonIsParked(t *testing.T) {
	w := newWorld(t, cloudsim.Options{}, corpus.Flat(1, 3))
	repo := w.ECR.Repository("flat/app-0000")
	d, _ := repo.Content.TagDigest("v1")
	good := repo.Event("PUSH", d, "v1", "")
	w.queue.Send("no JSON at all")
	w.queue.Send(`{"source":"aws.s3","detail-type":"Object Created","detail":{}}`)
	w.queue.Send(strings.Replace(good, `"account":"123456789012"`, `"account":"999999999999"`, 1))
	w.queue.Send(strings.Replace(good, "ECR Image Action", "ECR Image Scan", 1))
	w.queue.Send(good)
	s := w.sync(t, func(c *Config) { c.Queues = []Queue{w.open(t)} })
	defer end(t, s)
	for range 7 {
		state := once(t, s)
		if len(state.Parked) > 3 {
			t.Errorf("parked: %+v", state.Parked)
		}
		w.queue.Release()
	}
	if state := once(t, s); len(state.Parked) != 3 || w.queue.Len() != 0 || w.dead.Len() != 3 {
		t.Errorf("%d in the queue, %d dead: %q, %+v", w.queue.Len(), w.dead.Len(), w.queue.Bodies(), state.Parked)
	}
	if text := scrape(t, s); !strings.Contains(text, "transship_events_parked_total 3") {
		t.Error(text)
	}
}

// What was parked is told of until SQS has it nowhere any more.
func TestParkedMessagesAreForgotten(t *testing.T) {
	w := newWorld(t, cloudsim.Options{}, corpus.Flat(1, 1))
	w.queue.Send("no JSON at all")
	var later atomic.Int64
	s := w.sync(t, func(c *Config) {
		c.Queues = []Queue{w.open(t)}
		c.Pipeline.Now = func() time.Time { return time.Now().Add(time.Duration(later.Load())) }
	})
	defer end(t, s)
	once(t, s)
	later.Store(int64(13 * 24 * time.Hour))
	if state := once(t, s); len(state.Parked) != 1 {
		t.Errorf("after 13 days: %+v", state.Parked)
	}
	later.Store(int64(15 * 24 * time.Hour))
	if state := once(t, s); len(state.Parked) != 0 {
		t.Errorf("after 15 days: %+v", state.Parked)
	}
}

// A message whose image cannot be brought stays, and comes again; one whose image is gone goes.
func TestAMessageStaysUntilItsImageIsVerified(t *testing.T) {
	w := newWorld(t, cloudsim.Options{}, corpus.Flat(1, 3))
	w.ECR.SetEvents(w.queue.Send)
	s := w.sync(t, func(c *Config) { c.Queues = []Queue{w.open(t)} })
	defer end(t, s)
	once(t, s)
	const name = "flat/app-0000"
	d := w.push(t, name, "new", "content")
	w.Sim.Faults.Set(cloudsim.Fault{Kind: "ar.v2.manifest.*", Match: func(r *http.Request) bool { return r.Method == http.MethodPut }, Action: cloudsim.Status(403)})
	s.drain(t.Context(), w.open(t))
	if w.queue.Len() != 1 || w.at(name, "new") != "" {
		t.Errorf("%d messages, the tag is at %q", w.queue.Len(), w.at(name, "new"))
	}
	w.Sim.Faults.Clear()
	w.queue.Release()
	s.drain(t.Context(), w.open(t))
	if w.queue.Len() != 0 || w.at(name, "new") != d {
		t.Errorf("%d messages, the tag is at %q", w.queue.Len(), w.at(name, "new"))
	}
	gone := w.push(t, name, "short", "lived")
	w.ECR.Repository(name).Delete(gone, "short")
	s.drain(t.Context(), w.open(t))
	if w.queue.Len() != 0 || w.at(name, "short") != "" {
		t.Errorf("%d messages", w.queue.Len())
	}
}

// A copy that takes long keeps its message hidden from others.
func TestALongCopyKeepsItsMessage(t *testing.T) {
	w := newWorld(t, cloudsim.Options{}, corpus.Flat(1, 3))
	w.ECR.SetEvents(w.queue.Send)
	q := short{w.open(t)}
	s := w.sync(t, func(c *Config) { c.Queues = []Queue{q} })
	defer end(t, s)
	once(t, s)
	w.Sim.Faults.Set(cloudsim.Fault{Kind: "s3.*", Times: 1, Action: cloudsim.Delay(1500 * time.Millisecond)})
	d := w.push(t, "flat/app-0000", "new", "content")
	before := w.Sim.Counts()
	messages, err := q.Receive(t.Context(), 0)
	if err != nil || len(messages) != 1 {
		t.Fatalf("%d messages: %v", len(messages), err)
	}
	s.handle(t.Context(), q, messages, false)
	if n := w.Sim.Counts().Sub(before).Of("sqs.ChangeMessageVisibilityBatch"); n < 2 || w.at("flat/app-0000", "new") != d || w.queue.Len() != 0 {
		t.Errorf("extended %d times; %d messages", n, w.queue.Len())
	}
}

// short is a queue whose messages are hidden for a second.
type short struct{ Queue }

func (short) Visibility() time.Duration { return time.Second }

// A repository that nobody knows yet waits for a cycle, which is asked for at once.
func TestANewRepositoryWaitsForACycle(t *testing.T) {
	w := newWorld(t, cloudsim.Options{}, corpus.Flat(1, 3))
	w.ECR.SetEvents(w.queue.Send)
	cycled := make(chan document.Sync, 8)
	s := w.sync(t, func(c *Config) {
		c.Queues, c.Interval = []Queue{w.open(t)}, time.Hour
		c.Report = func(state document.Sync) { cycled <- state }
	})
	defer running(t, s)()
	<-cycled
	d := w.push(t, "brand/new", "v1", "content")
	eventually(t, 20*time.Second, func() bool { return w.at("brand/new", "v1") == d && w.queue.Len() == 0 })
}

// The transition: 2,000 things that happen in ECR (pushes, moved tags, deletions), of whose events a part is lost, doubled
// or late, while requests fail and the process is restarted several times. In the end both sides agree.
func TestATransition(t *testing.T) {
	total := 2000 // are what is promised; the race detector takes ten times as long
	if underrace.On || testing.Short() {
		total = 300
	}
	synctest.Test(t, func(t *testing.T) {
		const repositories, restarts = 8, 6
		random := rand.New(rand.NewPCG(8, 8))
		w := newWorld(t, cloudsim.Options{}, corpus.Flat(repositories, 10))
		mail := &mail{random: random, queue: w.queue}
		w.ECR.SetEvents(mail.send)
		cycles, found := 0, 0
		open := func() func() {
			w.spoil(random)
			return running(t, w.sync(t, func(c *Config) {
				c.Queues, c.DeleteTags, c.MaxDeletions = []Queue{w.open(t)}, true, total
				c.Report = func(state document.Sync) {
					cycles++
					found += state.Cycle.Found
				}
			}))
		}
		stop := open()
		for n := range total {
			w.happen(t, random, repositories, n)
			time.Sleep(time.Duration(random.Int64N(int64(4 * time.Second))))
			if n%(total/restarts) == total/restarts-1 {
				stop()
				stop = open()
			}
		}
		time.Sleep(time.Minute)
		stop()
		w.Sim.Faults.Clear()
		w.queue.Release()
		s := w.sync(t, func(c *Config) {
			c.Queues, c.DeleteTags, c.MaxDeletions = []Queue{w.open(t)}, true, total
		})
		state := once(t, s)
		if differ := w.agree(t); len(differ) != 0 {
			t.Errorf("%d differences, such as %q; %+v", len(differ), differ[:min(5, len(differ))], state.Cycle)
		}
		t.Logf("%d messages, %d lost, %d doubled, %d dead; %d cycles found %d behind, the last one %d", mail.sent, mail.lost, mail.doubled, w.dead.Len(),
			cycles, found, state.Cycle.Found)
		if w.queue.Len() != 0 || w.dead.Len() > total/50 {
			t.Errorf("%d messages are left, and %d dead", w.queue.Len(), w.dead.Len())
		}
		if mail.lost == 0 || mail.doubled == 0 || cycles < restarts || state.Cycle.Found > 20 {
			t.Error("nothing was lost or doubled, or there were no cycles, or they left everything to the last one")
		}
		end(t, s)
		_ = w.Sim.Close()
	})
}

// mail is a delivery that is as good as EventBridge's, on a bad day.
type mail struct {
	random              *rand.Rand
	queue               *sqssim.Queue
	late                []string
	sent, lost, doubled int
}

func (m *mail) send(body string) {
	m.sent++
	switch m.random.IntN(10) {
	case 0:
		m.lost++
	case 1:
		m.doubled++
		m.queue.Send(body)
		m.queue.Send(body)
	case 2:
		m.late = append(m.late, body)
	default:
		m.queue.Send(body)
	}
	if len(m.late) > 20 {
		m.random.Shuffle(len(m.late), func(a, b int) { m.late[a], m.late[b] = m.late[b], m.late[a] })
		for _, l := range m.late {
			m.queue.Send(l)
		}
		m.late = nil
	}
}

// spoil has a few requests of each kind fail.
func (w *world) spoil(random *rand.Rand) {
	w.Sim.Faults.SetSeeded(random.Uint64(),
		cloudsim.Fault{Kind: "ar.v2.*", Probability: 0.01, Action: cloudsim.Status(503)},
		cloudsim.Fault{Kind: "ecr.BatchGetImage", Probability: 0.02, Action: cloudsim.Reset()},
		cloudsim.Fault{Kind: "ecr.DescribeImages", Probability: 0.01, Action: cloudsim.AWSError(500, "ServerException", "injected")},
		cloudsim.Fault{Kind: "ecr.DescribeImages", Probability: 0.002, Action: cloudsim.AWSError(400, "AccessDeniedException", "injected")},
		cloudsim.Fault{Kind: "s3.*", Probability: 0.02, Action: cloudsim.CutBody(3)},
		cloudsim.Fault{Kind: "sqs.*", Probability: 0.02, Action: cloudsim.Status(500)},
	)
}

// happen is one thing that pipelines and people do in ECR.
func (w *world) happen(t testing.TB, random *rand.Rand, repositories, n int) {
	t.Helper()
	name := fmt.Sprintf("flat/app-%04d", random.IntN(repositories))
	repo := w.ECR.Repository(name)
	tags := repo.Content.Tags()
	pick := func() (string, digest.Digest) {
		tag := tags[random.IntN(len(tags))]
		d, _ := repo.Content.TagDigest(tag)
		return tag, d
	}
	switch k := random.IntN(20); {
	case k < 9 || len(tags) < 4:
		w.push(t, name, fmt.Sprintf("build-%d", n), fmt.Sprint("build ", n))
	case k < 12:
		w.push(t, name, "latest", fmt.Sprint("latest ", n))
	case k < 15: // a tag is pointed at another image
		tag, _ := pick()
		_, d := pick()
		m, _ := repo.Content.Manifest(d)
		if _, err := repo.Push(m.Bytes, m.MediaType, tag); err != nil {
			t.Fatal(err)
		}
	case k < 19:
		tag, d := pick()
		repo.Delete(d, tag)
	default:
		w.push(t, fmt.Sprintf("late/app-%d", random.IntN(4)), fmt.Sprintf("v%d", n%7), fmt.Sprint("late ", n))
	}
}

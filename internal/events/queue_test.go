package events_test

import (
	"context"
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"

	"transship/internal/cloudsim"
	"transship/internal/cloudsim/sqssim"
	"transship/internal/events"
	"transship/internal/ref"
	"transship/internal/registry"
)

const (
	account = "123456789012"
	region  = "us-east-1"
)

func open(t *testing.T, name string, visibility time.Duration) (*cloudsim.Sim, *sqssim.Queue, *events.Queue, map[int]int) {
	t.Helper()
	sim := cloudsim.New(cloudsim.Options{})
	t.Cleanup(func() { _ = sim.Close() })
	q := sim.SQS(region).CreateQueue(account, "transship", sqssim.QueueOptions{})
	if err := sim.StartMemory(); err != nil {
		t.Fatal(err)
	}
	a, err := events.ParseAddress(strings.Replace(q.URL(), "transship", name, 1))
	if err != nil {
		t.Fatal(err)
	}
	seen := map[int]int{}
	opened, err := events.Open(events.Options{
		Address: a, Sources: []ref.Registry{{Account: account, Region: region}}, HTTPClient: sim.HTTPClient(), Visibility: visibility,
		Credentials: func(context.Context) (string, string, string, error) { return "AKID", "secret", "", nil },
		Observe:     func(_ string, status int) { seen[status]++ },
	})
	if err != nil {
		t.Fatal(err)
	}
	return sim, q, opened, seen
}

// Messages come ten a request, hidden from others until they are deleted or their time is up; both are done in batches.
func TestReceiveAndDelete(t *testing.T) {
	sim, q, opened, seen := open(t, "transship", 0)
	for n := range 25 {
		q.Send(fmt.Sprintf(`{"source":"aws.ecr","detail-type":"ECR Image Scan","detail":{},"id":"%d"}`, n))
	}
	var all []events.Message
	for range 3 {
		some, err := opened.Receive(t.Context(), 0)
		if err != nil || len(some) > 10 {
			t.Fatal(len(some), err)
		}
		all = append(all, some...)
	}
	if none, err := opened.Receive(t.Context(), 0); len(none) != 0 || err != nil || len(all) != 25 || all[0].Receives != 1 {
		t.Errorf("%d, then %d: %v", len(all), len(none), err)
	}
	if err := opened.Extend(t.Context(), all, time.Hour); err != nil {
		t.Error(err)
	}
	if err := opened.Delete(t.Context(), all); err != nil || q.Len() != 0 {
		t.Errorf("%d are left: %v", q.Len(), err)
	}
	if n := sim.Counts(); n.Of("sqs.DeleteMessageBatch") != 3 || n.Of("sqs.ChangeMessageVisibilityBatch") != 3 || seen[http.StatusOK] != 10 {
		t.Errorf("%v %v", n, seen)
	}
	if err := opened.Delete(t.Context(), all); err != nil { // a second time does no harm
		t.Error(err)
	}
}

// A long poll ends when a message comes, and when its context does.
func TestLongPoll(t *testing.T) {
	_, q, opened, _ := open(t, "transship", 0)
	got := make(chan int)
	go func() {
		some, _ := opened.Receive(t.Context(), 20*time.Second)
		got <- len(some)
	}()
	q.Send("hello")
	if n := <-got; n != 1 {
		t.Errorf("%d messages", n)
	}
	ctx, cancel := context.WithCancel(t.Context())
	go func() {
		_, err := opened.Receive(ctx, 20*time.Second)
		if !registry.IsClass(err, registry.Canceled) {
			t.Error(err)
		}
		got <- 0
	}()
	cancel()
	<-got
}

// What is wrong with a queue is told with what to do.
func TestQueueErrors(t *testing.T) {
	sim, _, opened, _ := open(t, "other", 0)
	if _, err := opened.Receive(t.Context(), 0); !registry.IsClass(err, registry.NotFound) || !strings.Contains(err.Error(), "list-queues") {
		t.Error(err)
	}
	sim.SQS(region).Deny("GetQueueAttributes")
	if _, err := opened.Look(t.Context()); !registry.IsClass(err, registry.Denied) || !strings.Contains(err.Error(), "sqs:GetQueueAttributes is missing") {
		t.Error(err)
	}
	a, err := events.ParseAddress("https://sqs.eu-west-1.amazonaws.com/123456789012/q")
	if err != nil {
		t.Fatal(err)
	}
	if _, err := events.Open(events.Options{Address: a, Sources: []ref.Registry{{Account: account, Region: region}}}); err == nil || !strings.Contains(err.Error(), "eu-west-1") {
		t.Error(err)
	}
}

// An event about a registry that is no source is none of ours.
func TestForeignRegistry(t *testing.T) {
	_, q, opened, _ := open(t, "transship", 0)
	q.Send(`{"source":"aws.ecr","detail-type":"ECR Image Action","account":"999999999999","region":"us-east-1","detail":{"result":"SUCCESS",` +
		`"repository-name":"app","action-type":"PUSH","image-tag":"v1"}}`)
	some, err := opened.Receive(t.Context(), 0)
	if err != nil || len(some) != 1 || some[0].Err == nil || !strings.Contains(some[0].Err.Error(), "999999999999") {
		t.Errorf("%+v %v", some, err)
	}
}

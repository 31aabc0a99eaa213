package sqssim

import (
	"testing"
	"testing/synctest"
	"time"
)

// A message that is not deleted comes again when its time is up, and goes to the dead-letter queue when it came too often.
func TestVisibilityAndDeadLetters(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := New("us-east-1", nil)
		dead := s.CreateQueue("123456789012", "dead", QueueOptions{})
		q := s.CreateQueue("123456789012", "q", QueueOptions{Visibility: time.Minute, MaxReceives: 2, DeadLetters: dead})
		q.Send("a")
		receive := func() []message {
			taken, _, _ := q.receive(10, time.Minute)
			return taken
		}
		if first := receive(); len(first) != 1 || first[0].receives != 1 || len(receive()) != 0 {
			t.Errorf("%+v", first)
		}
		time.Sleep(time.Minute)
		second := receive()
		if len(second) != 1 || second[0].receives != 2 {
			t.Fatalf("%+v", second)
		}
		if !q.hide(second[0].receipt, 2*time.Minute) || q.hide("q-1#1", time.Minute) {
			t.Error("a receipt does not hold, or an old one does")
		}
		time.Sleep(90 * time.Second)
		if len(receive()) != 0 {
			t.Error("it was not hidden for longer")
		}
		q.remove("q-1#1") // an old receipt
		time.Sleep(time.Minute)
		if len(receive()) != 0 || q.Len() != 0 || dead.Len() != 1 || dead.Bodies()[0] != "a" {
			t.Errorf("%d in the queue, %d dead", q.Len(), dead.Len())
		}
	})
}

// A poll waits for what comes, and for what shows again, and no longer than it was asked to.
func TestPoll(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		q := New("us-east-1", nil).CreateQueue("123456789012", "q", QueueOptions{})
		poll := func(seconds int) (int, time.Duration) {
			start, most := time.Now(), 10
			out, err := q.poll(t.Context(), input{Most: &most, WaitTimeSeconds: seconds})
			if err != nil {
				t.Fatal(err)
			}
			got, _ := out.(map[string]any)["Messages"].([]received)
			return len(got), time.Since(start)
		}
		if n, took := poll(20); n != 0 || took != 20*time.Second {
			t.Errorf("%d after %s", n, took)
		}
		time.AfterFunc(5*time.Second, func() { q.Send("a") })
		if n, took := poll(20); n != 1 || took != 5*time.Second {
			t.Errorf("%d after %s", n, took)
		}
		time.Sleep(20 * time.Second)
		if n, took := poll(20); n != 1 || took != 10*time.Second {
			t.Errorf("%d after %s: it shows again after 30 s", n, took)
		}
	})
}

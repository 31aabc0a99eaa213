package cloudsim_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strings"
	"syscall"
	"testing"

	"github.com/aws/aws-sdk-go-v2/service/ecr"

	"transship/internal/cloudsim"
)

func parseURL(t *testing.T, s string) *url.URL {
	t.Helper()
	u, err := url.Parse(s)
	if err != nil {
		t.Fatal(err)
	}
	return u
}

// eachProtocol runs f against a host that answers with 1,000 letters, over HTTP/1.1 and 2, over TCP and memory.
func eachProtocol(t *testing.T, f func(t *testing.T, sim *cloudsim.Sim, client *http.Client)) {
	for _, http1 := range []bool{true, false} {
		for _, memory := range []bool{true, false} {
			t.Run(fmt.Sprintf("http1=%v,memory=%v", http1, memory), func(t *testing.T) {
				sim := cloudsim.New(cloudsim.Options{DisableHTTP2: http1})
				defer sim.Close()
				sim.Handle("one.example", served{strings.Repeat("x", 1000)})
				if memory {
					if err := sim.StartMemory(); err != nil {
						t.Fatal(err)
					}
				} else if _, err := sim.Start(); err != nil {
					t.Fatal(err)
				}
				f(t, sim, sim.HTTPClient())
			})
		}
	}
}

// get reads a body and returns how much came, and the error that ended it.
func get(t *testing.T, client *http.Client) (status int, body string, err error) {
	t.Helper()
	res, err := client.Post("https://one.example/", "text/plain", strings.NewReader("hello")) // a POST is not retried
	if err != nil {
		return 0, "", err
	}
	defer res.Body.Close()
	b, err := io.ReadAll(res.Body)
	return res.StatusCode, string(b), err
}

func TestBodyFaults(t *testing.T) {
	eachProtocol(t, func(t *testing.T, sim *cloudsim.Sim, client *http.Client) {
		for _, c := range []struct {
			name   string
			action cloudsim.Action
			status int
			length int
			failed bool
		}{
			{"reset", cloudsim.Reset(), 0, 0, true},
			{"reset after work", cloudsim.ResetAfterWork(), 0, 0, true},
			{"reset after headers", cloudsim.ResetAfterHeaders(), 200, 0, true},
			{"cut", cloudsim.CutBody(300), 200, 300, true},
			{"cut beyond the end", cloudsim.CutBody(1000), 200, 1000, false},
			{"flip", cloudsim.FlipByte(999), 200, 1000, false},
			{"status", cloudsim.Status(503), 503, 37, false},
			{"cut upload", cloudsim.CutUpload(3), 0, 0, true},
			{"cut upload beyond the end", cloudsim.CutUpload(5), 200, 1000, false},
		} {
			sim.Faults.Set(cloudsim.Fault{Kind: "test.*", Action: c.action})
			status, body, err := get(t, client)
			if status != c.status || len(body) != c.length || (err != nil) != c.failed {
				t.Errorf("%s: status %d, %d bytes, %v", c.name, status, len(body), err)
			}
			if sim.Faults.Fired() != 1 {
				t.Errorf("%s: fired %d times", c.name, sim.Faults.Fired())
			}
			if c.name == "flip" && strings.Count(body, "x") != 999 {
				t.Error("the flipped body has not one other byte")
			}
		}
		sim.Faults.Clear()
		if status, _, err := get(t, client); status != 200 || err != nil {
			t.Errorf("without faults: %d, %v", status, err)
		}
	})
}

func TestResetIsAReset(t *testing.T) {
	for _, memory := range []bool{true, false} {
		sim := cloudsim.New(cloudsim.Options{DisableHTTP2: true})
		defer sim.Close()
		sim.Handle("one.example", served{"x"})
		if memory {
			_ = sim.StartMemory()
		} else {
			_, _ = sim.Start()
		}
		sim.Faults.Set(cloudsim.Fault{Action: cloudsim.Reset()})
		if _, _, err := get(t, sim.HTTPClient()); !errors.Is(err, syscall.ECONNRESET) {
			t.Errorf("memory %v: %v", memory, err)
		}
	}
}

func TestStalls(t *testing.T) {
	eachProtocol(t, func(t *testing.T, sim *cloudsim.Sim, client *http.Client) {
		sim.Faults.Set(cloudsim.Fault{Action: cloudsim.StallBody(10)})
		ctx, cancel := context.WithCancel(t.Context())
		defer cancel()
		req, _ := http.NewRequestWithContext(ctx, "GET", "https://one.example/", nil)
		res, err := client.Do(req)
		if err != nil {
			t.Fatal(err)
		}
		defer res.Body.Close()
		if _, err := io.ReadFull(res.Body, make([]byte, 10)); err != nil {
			t.Fatalf("the bytes before the stall: %v", err)
		}
		cancel() // nothing more will come: only the client can end this
		if _, err := res.Body.Read(make([]byte, 1)); !errors.Is(err, context.Canceled) {
			t.Errorf("after the stall: %v", err)
		}
	})
}

func TestWhichRequestsAreSpoiled(t *testing.T) {
	sim := start(t, cloudsim.Options{})
	sim.Handle("one.example", served{"fine"})
	client := sim.HTTPClient()
	outcome := func(n int) string {
		var b strings.Builder
		for range n {
			status, _, _ := get(t, client)
			b.WriteByte("0123456789"[status/100])
		}
		return b.String()
	}
	for _, c := range []struct {
		name  string
		fault cloudsim.Fault
		want  string
	}{
		{"nth", cloudsim.Fault{Nth: 3}, "22522"},
		{"times", cloudsim.Fault{Times: 2}, "55222"},
		{"kind", cloudsim.Fault{Kind: "ecr.*"}, "22222"},
		{"match", cloudsim.Fault{Match: func(r *http.Request) bool { return r.Method == "GET" }}, "22222"},
		{"always", cloudsim.Fault{Kind: "test.p*"}, "55555"},
	} {
		c.fault.Action = cloudsim.Status(500)
		sim.Faults.Set(c.fault)
		if got := outcome(5); got != c.want {
			t.Errorf("%s: %s, want %s", c.name, got, c.want)
		}
	}
	fault := cloudsim.Fault{Probability: 0.5, Action: cloudsim.Status(500)}
	sim.Faults.SetSeeded(7, fault)
	first := outcome(40)
	sim.Faults.SetSeeded(7, fault)
	if second := outcome(40); first != second || !strings.Contains(first, "5") || !strings.Contains(first, "2") {
		t.Errorf("the same seed gave %s and %s", first, second)
	}
}

func TestRefusalsAreCounted(t *testing.T) {
	sim := start(t, cloudsim.Options{})
	sim.ECR(account, region)
	sim.Faults.Set(
		cloudsim.Fault{Kind: "ecr.v2.*", Action: cloudsim.TooManyRequests(cloudsim.RetryAfterDate(begin))},
		cloudsim.Fault{Kind: "ecr.DescribeRepositories", Action: cloudsim.Throttling()},
	)
	got := do(t, sim.HTTPClient(), "GET", base, "").want(t, 429, "TOOMANYREQUESTS")
	if got.Header.Get("Retry-After") != "Sun, 01 Mar 2026 12:00:00 GMT" {
		t.Errorf("Retry-After is %q", got.Header.Get("Retry-After"))
	}
	_, err := sdk(sim, "AKIA").DescribeRepositories(t.Context(), &ecr.DescribeRepositoriesInput{})
	wantCode(t, err, "ThrottlingException")
	if sum := sim.Counts().Tally(""); sum.Requests != 2 || sum.Refused != 2 {
		t.Errorf("counted:\n%s", sim.Counts())
	}
}

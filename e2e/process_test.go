package e2e

import (
	"bytes"
	"errors"
	"net/http"
	"os"
	"os/exec"
	"sync"
	"testing"
	"time"

	"transship/internal/cloudsim"
)

// process is a transship that runs.
type process struct {
	cmd            *exec.Cmd
	stdout, stderr bytes.Buffer
	ended          chan struct{} // closed when it has
}

// start starts the binary on the world's migration. It ends with the test at the latest.
func (w *world) start(t *testing.T, args ...string) *process {
	t.Helper()
	args = append(args, "--from", from, "--to", target, "-w", w.dir)
	p := &process{cmd: exec.CommandContext(t.Context(), os.Getenv("TRANSSHIP_BIN"), args...), ended: make(chan struct{})}
	p.cmd.Dir, p.cmd.Env, p.cmd.Stdout, p.cmd.Stderr = t.TempDir(), w.env, &p.stdout, &p.stderr
	if err := p.cmd.Start(); err != nil {
		t.Fatal(err)
	}
	go func() {
		defer close(p.ended)
		if err := p.cmd.Wait(); err != nil {
			if _, exited := errors.AsType[*exec.ExitError](err); !exited {
				t.Error(err)
			}
		}
	}()
	return p
}

// signal sends it a signal.
func (p *process) signal(t *testing.T, s os.Signal) {
	t.Helper()
	if err := p.cmd.Process.Signal(s); err != nil {
		t.Fatal(err)
	}
}

// wait waits for the end, which must come within the time.
func (p *process) wait(t *testing.T, within time.Duration) result {
	t.Helper()
	select {
	case <-p.ended:
	case <-time.After(within):
		_ = p.cmd.Process.Kill()
		<-p.ended
		t.Fatalf("it did not end within %v\n--- stdout\n%s--- stderr\n%s", within, &p.stdout, &p.stderr)
	}
	return result{p.stdout.String(), p.stderr.String(), p.cmd.ProcessState.ExitCode()}
}

// held is a fault that gives requests no answer until it is released or the client goes away.
type held struct {
	after   int // so many requests pass before
	mu      sync.Mutex
	passed  int
	once    sync.Once
	arrived chan struct{} // closed when a request is held
	release chan struct{} // to be closed
}

func hold(after int) *held {
	return &held{after: after, arrived: make(chan struct{}), release: make(chan struct{})}
}

func (h *held) fault(kind string) cloudsim.Fault {
	return cloudsim.Fault{Kind: kind, Action: func(w http.ResponseWriter, r *http.Request, next http.Handler) {
		h.mu.Lock()
		h.passed++
		passes := h.passed <= h.after
		h.mu.Unlock()
		if !passes {
			h.once.Do(func() { close(h.arrived) })
			select {
			case <-h.release:
			case <-r.Context().Done():
				return
			}
		}
		next.ServeHTTP(w, r)
	}}
}

// await waits until the clouds hold a request of p.
func (h *held) await(t *testing.T, p *process) {
	t.Helper()
	select {
	case <-h.arrived:
	case <-p.ended:
		t.Fatalf("it ended before\n--- stdout\n%s--- stderr\n%s", &p.stdout, &p.stderr)
	case <-time.After(30 * time.Second):
		t.Fatal("no request came")
	}
}

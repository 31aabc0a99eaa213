// Package measure runs command lines and says what they cost.
//
// Vocabulary: a Command is one process; a Lane is commands one after the other, the rest of which is left out when one
// fails, unless it goes on; a Run is lanes, some at a time; a Usage is what they took together.
//
//	bench ─ Run as JSON ─▶ this binary again, as the runner ─ fork ─▶ tool
//	      ◀─ Usage as JSON ─────────────┘◀─ rusage ─────────────────┘
//
// The runner is a process of its own because Linux lets a child's peak memory begin at that of the process that forked
// it: under the bench, which holds two clouds and a corpus, every tool would seem to need as much.
package measure

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"runtime"
	"sync"
	"syscall"
	"time"
)

// RunnerArgument is the first argument with which a program that uses this package must call Runner.
const RunnerArgument = "run-measured"

// Command is one process.
type Command struct {
	Args []string
	Dir  string
	Env  []string
}

// Run is what to run.
type Run struct {
	Lanes [][]Command
	// Parallel is how many lanes run at a time; 0 is 1.
	Parallel int
	// GoOn runs a lane to its end although a command of it failed.
	GoOn bool
	// Timeout ends everything; 0 is an hour.
	Timeout time.Duration
}

// Usage is what a Run took.
type Usage struct {
	Wall     time.Duration
	CPU      time.Duration // user and system, of all processes
	RSS      int64         // the most that one process held, in bytes
	Commands int           // that were run
	Failed   int           // of them
	TimedOut bool
	Lanes    []time.Duration // each lane's wall, from its start
	Each     []Process       // in the order in which they ended
	Output   string          // the end of what the first failed command said
}

// Process is what one command took.
type Process struct {
	Wall, CPU time.Duration
	RSS       int64
}

// Do runs r and returns what it took. Failures of commands are part of the Usage; an error is one of the bench itself.
func Do(ctx context.Context, r Run) (Usage, error) {
	self, err := os.Executable()
	if err != nil {
		return Usage{}, err
	}
	text, err := json.Marshal(r)
	if err != nil {
		return Usage{}, err
	}
	var out, errs bytes.Buffer
	cmd := exec.CommandContext(ctx, self, RunnerArgument)
	cmd.Stdin, cmd.Stdout, cmd.Stderr = bytes.NewReader(text), &out, &errs
	// A group of their own, so that an interrupted bench leaves no tool behind.
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	cmd.Cancel = func() error { return syscall.Kill(-cmd.Process.Pid, syscall.SIGKILL) }
	cmd.WaitDelay = 5 * time.Second
	if err := cmd.Run(); err != nil {
		return Usage{}, errors.Join(fmt.Errorf("the bench's runner: %w: %s", err, errs.String()), ctx.Err())
	}
	var u Usage
	return u, json.Unmarshal(out.Bytes(), &u)
}

// Runner is what the program does when its first argument is RunnerArgument.
func Runner(in io.Reader, out io.Writer) error {
	var r Run
	if err := json.NewDecoder(in).Decode(&r); err != nil {
		return err
	}
	if r.Timeout <= 0 {
		r.Timeout = time.Hour
	}
	ctx, cancel := context.WithTimeout(context.Background(), r.Timeout)
	defer cancel()
	u := &usage{Usage: Usage{Lanes: make([]time.Duration, len(r.Lanes))}}
	start := time.Now()
	lanes := make(chan int)
	var wg sync.WaitGroup
	for range max(1, r.Parallel) {
		wg.Go(func() {
			for i := range lanes {
				begin := time.Now()
				u.lane(ctx, r, r.Lanes[i])
				u.Lanes[i] = time.Since(begin)
			}
		})
	}
	for i := range r.Lanes {
		lanes <- i
	}
	close(lanes)
	wg.Wait()
	u.Wall, u.TimedOut = time.Since(start), ctx.Err() != nil
	return json.NewEncoder(out).Encode(u.Usage)
}

type usage struct {
	mu sync.Mutex
	Usage
}

func (u *usage) lane(ctx context.Context, r Run, commands []Command) {
	for _, c := range commands {
		if ctx.Err() != nil {
			return
		}
		if !u.command(ctx, c) && !r.GoOn {
			return
		}
	}
}

// command runs one process and adds what it took.
func (u *usage) command(ctx context.Context, c Command) bool {
	said := &tail{}
	cmd := exec.CommandContext(ctx, c.Args[0], c.Args[1:]...)
	cmd.Dir, cmd.Env, cmd.Stdout, cmd.Stderr = c.Dir, c.Env, said, said
	begin := time.Now()
	err := cmd.Run()
	p := Process{Wall: time.Since(begin)}
	u.mu.Lock()
	defer u.mu.Unlock()
	u.Commands++
	if err != nil {
		u.Failed++
		if u.Output == "" {
			u.Output = fmt.Sprintf("%v: %s", err, said)
		}
	}
	if cmd.ProcessState == nil {
		return false
	}
	p.CPU = cmd.ProcessState.UserTime() + cmd.ProcessState.SystemTime()
	if ru, ok := cmd.ProcessState.SysUsage().(*syscall.Rusage); ok {
		p.RSS = rss(ru)
	}
	u.CPU += p.CPU
	u.RSS = max(u.RSS, p.RSS)
	u.Each = append(u.Each, p)
	return err == nil
}

// rss is the peak in bytes: Linux counts kibibytes, macOS bytes.
func rss(ru *syscall.Rusage) int64 {
	if runtime.GOOS == "darwin" {
		return int64(ru.Maxrss) //nolint:unconvert // an int32 on some systems
	}
	return int64(ru.Maxrss) << 10 //nolint:unconvert // as above
}

// tail keeps the end of what is written to it.
type tail struct{ kept []byte }

const tailBytes = 600

func (t *tail) Write(b []byte) (int, error) {
	t.kept = append(t.kept, b...)
	if extra := len(t.kept) - tailBytes; extra > 0 {
		t.kept = append(t.kept[:0], t.kept[extra:]...)
	}
	return len(b), nil
}

func (t *tail) String() string { return string(t.kept) }

package cli

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os/exec"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/rogpeppe/go-internal/testscript"

	"transship/internal/cli/term"
	"transship/internal/workspace"
)

// exitcode runs a command and wants an exit code. What it printed can be asked for with stdout and stderr.
func exitcode(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) < 2 {
		ts.Fatalf("usage: exitcode N COMMAND …")
	}
	want, err := strconv.Atoi(args[0])
	ts.Check(err)
	got := 0
	err = ts.Exec(args[1], args[2:]...)
	if exit, ok := errors.AsType[*exec.ExitError](err); ok {
		got = exit.ExitCode()
	} else {
		ts.Check(err)
	}
	if got != want {
		ts.Fatalf("exit code %d, want %d", got, want)
	}
}

// jsonIs wants FILE to be one JSON document, and the value at PATH to match the regular expression WANT as a whole. A
// PATH is keys and positions with dots between: "failures.0.class"; "*" is any of them, so that one must match;
// "length" is how many there are.
func jsonIs(ts *testscript.TestScript, neg bool, args []string) {
	if len(args) != 1 && len(args) != 3 {
		ts.Fatalf("usage: [!] json FILE [PATH WANT]")
	}
	v, err := decode(ts.ReadFile(args[0]))
	if err != nil {
		ts.Fatalf("%s: %v", args[0], err)
	}
	if len(args) == 1 {
		return
	}
	want := regexp.MustCompile("^(?:" + args[2] + ")$")
	found := values(v, strings.Split(args[1], "."))
	if slices.ContainsFunc(found, want.MatchString) == neg {
		ts.Fatalf("%s: %s is %q, want %s", args[0], args[1], found, args[2])
	}
}

// decode reads the one JSON document that text is.
func decode(text string) (any, error) {
	d := json.NewDecoder(strings.NewReader(text))
	d.UseNumber()
	var v any
	if err := d.Decode(&v); err != nil {
		return nil, fmt.Errorf("not JSON: %w", err)
	}
	if _, err := d.Token(); !errors.Is(err, io.EOF) {
		return nil, errors.New("there is something behind the document")
	}
	return v, nil
}

// values are the texts of all that a path leads to.
func values(v any, path []string) []string {
	if len(path) == 0 {
		return []string{valueText(v)}
	}
	var out []string
	switch v := v.(type) {
	case map[string]any:
		for key, at := range v {
			if path[0] == key || path[0] == "*" {
				out = append(out, values(at, path[1:])...)
			}
		}
	case []any:
		if path[0] == "length" {
			return values(json.Number(strconv.Itoa(len(v))), path[1:])
		}
		for i, at := range v {
			if path[0] == strconv.Itoa(i) || path[0] == "*" {
				out = append(out, values(at, path[1:])...)
			}
		}
	}
	slices.Sort(out)
	return out
}

// valueText is a string as it is, and all else as JSON.
func valueText(v any) string {
	if s, ok := v.(string); ok {
		return s
	}
	var b bytes.Buffer
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false)
	if err := e.Encode(v); err != nil {
		return err.Error()
	}
	return strings.TrimSpace(b.String())
}

// narrow wants a text to fit a screen.
func narrow(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) != 3 {
		ts.Fatalf("usage: narrow FILE COLUMNS LINES")
	}
	n, err := numbers(args[1:]...)
	ts.Check(err)
	lines := strings.Split(strings.TrimSuffix(ts.ReadFile(args[0]), "\n"), "\n")
	if len(lines) > n[1] {
		ts.Fatalf("%s has %d lines, more than %d", args[0], len(lines), n[1])
	}
	for i, line := range lines {
		if width := term.Width(line); width > n[0] {
			ts.Fatalf("%s:%d has %d columns, more than %d: %s", args[0], i+1, width, n[0], line)
		}
	}
}

// mark begins to count.
func mark(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) != 0 {
		ts.Fatalf("usage: mark")
	}
	w := worldOf(ts)
	w.marked = w.sim.Counts()
}

// requests wants at most so many requests since the mark.
func requests(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) == 0 {
		ts.Fatalf("usage: requests MAX [KIND …]")
	}
	n, err := numbers(args[0])
	ts.Check(err)
	w := worldOf(ts)
	since := w.sim.Counts().Sub(w.marked)
	got := since.Total()
	if kinds := args[1:]; len(kinds) > 0 {
		got = since.Of(kinds...)
	}
	ts.Logf("%d requests:\n%s", got, since)
	if got > n[0] {
		ts.Fatalf("%d requests, want at most %d", got, n[0])
	}
}

// await waits for the first request that cloud hang keeps.
func await(ts *testscript.TestScript, neg bool, args []string) {
	w := worldOf(ts)
	if neg || len(args) != 0 || w.hung == nil {
		ts.Fatalf("usage: cloud hang KIND … await")
	}
	select {
	case <-w.hung:
	case <-time.After(30 * time.Second):
		ts.Fatalf("no request hangs")
	}
}

// hold locks a workspace until the script ends.
func hold(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) != 1 {
		ts.Fatalf("usage: hold DIR")
	}
	held, err := workspace.Open(ts.MkAbs(args[0]))
	ts.Check(err)
	ts.Defer(func() { _ = held.Close() })
}

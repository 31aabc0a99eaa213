package registry

import (
	"context"
	"errors"
	"fmt"
	"testing"
)

func TestErrorsSayWhatToDo(t *testing.T) {
	inner := &Error{Op: "open", Class: Throttled, Hint: "wait"}
	outer := &Error{Side: Target, Op: "write blob", Object: "us-docker.pkg.dev/p/r/a@sha256:1", Class: Incomplete, Err: inner}
	err := fmt.Errorf("copy: %w", outer)
	if got, want := err.Error(), "copy: target: write blob us-docker.pkg.dev/p/r/a@sha256:1: open (wait)"; got != want {
		t.Errorf("%q, not %q", got, want)
	}
	if ClassOf(err) != Incomplete || HintOf(err) != "wait" {
		t.Errorf("class %s, hint %q", ClassOf(err), HintOf(err))
	}
	if !errors.Is(err, inner) {
		t.Error("the cause is lost")
	}
}

func TestClassOf(t *testing.T) {
	for want, err := range map[Class]error{
		Canceled: fmt.Errorf("x: %w", context.Canceled),
		Unknown:  errors.New("x"),
		Denied:   &Error{Class: Denied, Err: context.Canceled},
	} {
		if got := ClassOf(err); got != want {
			t.Errorf("%v is %s, not %s", err, got, want)
		}
	}
	if IsClass(nil, Unknown) {
		t.Error("no error has a class")
	}
	if !Throttled.Passing() || !Unavailable.Passing() || Denied.Passing() {
		t.Error("what passes is wrong")
	}
}

func TestExplainSaysTheHintOnce(t *testing.T) {
	inner := &Error{Side: Target, Op: "write", Class: Denied, Err: errors.New("no"), Hint: "ask for the role"}
	for _, c := range []struct {
		err               error
		class, text, hint string
	}{
		{inner, "denied", "target: write: no", "ask for the role"},
		{&Error{Side: Target, Op: "copy", Class: Denied, Err: inner}, "denied", "target: copy: target: write: no", "ask for the role"},
		{fmt.Errorf("%w, and the index needs it", inner), "denied", "target: write: no, and the index needs it", "ask for the role"},
		{errors.New("call f ()"), "unknown", "call f ()", ""},
	} {
		if class, text, hint := Explain(c.err); class != c.class || text != c.text || hint != c.hint {
			t.Errorf("%v is explained as %q, %q, %q", c.err, class, text, hint)
		}
	}
}

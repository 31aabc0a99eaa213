package registry

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"
)

// Class says what kind of trouble an Error is, which decides whether trying again makes sense and what to advise.
type Class string

// The classes.
const (
	NotFound     Class = "not-found"    // the object does not exist (or may not be seen)
	NoRepository Class = "no-repo"      // the repository does not exist (or may not be seen)
	Denied       Class = "denied"       // the caller lacks a permission
	Unauthorized Class = "unauthorized" // the credentials are missing, wrong or expired
	Throttled    Class = "throttled"    // the quota is used up for now
	Unavailable  Class = "unavailable"  // a passing fault: 5xx, reset, timeout, cut body
	Immutable    Class = "immutable"    // a tag that must not move
	Corrupt      Class = "corrupt"      // bytes that do not match their digest or size
	Invalid      Class = "invalid"      // the other side refuses the request as it is
	Unsupported  Class = "unsupported"  // neither side is wrong, but this cannot be done
	Incomplete   Class = "incomplete"   // something that belongs to the object failed
	Conflict     Class = "conflict"     // somebody else's change stands in the way
	Canceled     Class = "canceled"     // the run was stopped
	TimedOut     Class = "timed-out"    // it took longer than it was allowed to
	Unknown      Class = "unknown"      // anything else
)

// Passing reports whether the same request may succeed later without anybody's doing.
func (c Class) Passing() bool { return c == Throttled || c == Unavailable }

// Error is what went wrong at one of the clouds, said so that a reader knows what to do.
type Error struct {
	Side       Side
	Op         string        // what was being done, such as "read blob"
	Object     string        // to what: an image, a blob, a repository
	Class      Class         //
	Status     int           // the HTTP status, 0 where there was none
	RetryAfter time.Duration // how long the other side asked to wait, 0 where it did not
	Hint       string        // what to do about it, a sentence without its full stop; may be empty
	Err        error         // the cause
}

// Error says side, operation, object, cause and remedy in one line.
func (e *Error) Error() string {
	var b strings.Builder
	if e.Side != "" {
		fmt.Fprintf(&b, "%s: ", e.Side)
	}
	b.WriteString(e.Op)
	if e.Object != "" {
		fmt.Fprintf(&b, " %s", e.Object)
	}
	if e.Err != nil {
		fmt.Fprintf(&b, ": %v", e.Err)
	}
	if e.Hint != "" {
		fmt.Fprintf(&b, " (%s)", e.Hint)
	}
	return b.String()
}

// Unwrap returns the cause.
func (e *Error) Unwrap() error { return e.Err }

// ClassOf returns the class of the outermost Error in err's chain; Canceled for a cancelled context; otherwise Unknown.
func ClassOf(err error) Class {
	if e, ok := errors.AsType[*Error](err); ok {
		return e.Class
	}
	if errors.Is(err, context.Canceled) || errors.Is(err, context.DeadlineExceeded) {
		return Canceled
	}
	return Unknown
}

// HintOf returns the first hint in err's chain, or nothing.
func HintOf(err error) string {
	for e, ok := errors.AsType[*Error](err); ok; e, ok = errors.AsType[*Error](e.Err) {
		if e.Hint != "" {
			return e.Hint
		}
	}
	return ""
}

// Explain says what documents say of err: its class, its text without the hint, and the hint.
func Explain(err error) (class, text, hint string) {
	text, hint = err.Error(), HintOf(err)
	if hint != "" { // anywhere: what wraps an Error may go on after it
		text = strings.ReplaceAll(text, " ("+hint+")", "")
	}
	return string(ClassOf(err)), text, hint
}

// IsClass reports whether err is an Error of class c.
func IsClass(err error, c Class) bool { return err != nil && ClassOf(err) == c }

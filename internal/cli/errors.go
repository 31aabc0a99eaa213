package cli

import (
	"errors"
	"fmt"

	"transship/internal/governance"
	"transship/internal/plan"
	"transship/internal/stage"
)

// Exit codes.
const (
	exitDone       = 0 // all done and right
	exitFailed     = 1 // the command failed
	exitUsage      = 2 // wrong usage or configuration
	exitIncomplete = 3 // finished, but something failed, is missing or differs
)

// usageError is a mistake in the flags, the arguments or the configuration.
type usageError struct{ err error }

func (e *usageError) Error() string { return e.err.Error() }
func (e *usageError) Unwrap() error { return e.err }

func usagef(format string, a ...any) error { return &usageError{fmt.Errorf(format, a...)} }

// incompleteError says that the command finished, but that something failed, is missing or differs. What it was has
// been shown already.
type incompleteError struct{ summary string }

func (e *incompleteError) Error() string { return e.summary }

// exitCode is the one place where errors become exit codes.
func exitCode(err error) int {
	if err == nil {
		return exitDone
	}
	if _, is := errors.AsType[*incompleteError](err); is {
		return exitIncomplete
	}
	if _, is := errors.AsType[*usageError](err); is {
		return exitUsage
	}
	if _, is := errors.AsType[*stage.ClaimError](err); is {
		return exitUsage
	}
	if _, is := errors.AsType[*governance.KeyError](err); is {
		return exitUsage
	}
	if _, is := errors.AsType[*plan.MappingError](err); is {
		return exitUsage
	}
	return exitFailed
}

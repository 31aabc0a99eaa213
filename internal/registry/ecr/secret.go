package ecr

import (
	"fmt"
	"log/slog"
)

// secret keeps a credential out of errors, logs and dumps. The text sits behind a function: fmt and reflection walk into
// the unexported fields of a struct, past any String method, but not into a function.
type secret struct{ reveal func() string }

const redacted = "[redacted]"

func newSecret(s string) secret { return secret{func() string { return s }} }

// text is the credential itself.
func (s secret) text() string {
	if s.reveal == nil {
		return ""
	}
	return s.reveal()
}

// Format writes that there is something, not what.
func (s secret) Format(f fmt.State, _ rune) { _, _ = f.Write([]byte(redacted)) }

// LogValue is Format for slog.
func (s secret) LogValue() slog.Value { return slog.StringValue(redacted) }

// MarshalText is Format for JSON.
func (s secret) MarshalText() ([]byte, error) { return []byte(redacted), nil }

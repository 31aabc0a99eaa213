// Package secret keeps credentials out of errors, logs and dumps.
package secret

import (
	"fmt"
	"log/slog"
)

// Redacted is what is written in the place of a credential.
const Redacted = "[redacted]"

// Text is a credential. The text sits behind a function: fmt and reflection walk into the unexported fields of a struct,
// past any String method, but not into a function. The zero value is no credential.
type Text struct{ reveal func() string }

// New returns s as a Text.
func New(s string) Text { return Text{func() string { return s }} }

// IsZero reports whether there is no credential.
func (t Text) IsZero() bool { return t.reveal == nil }

// Reveal returns the credential itself; empty for the zero value.
func (t Text) Reveal() string {
	if t.reveal == nil {
		return ""
	}
	return t.reveal()
}

// Format writes that there is something, not what.
func (t Text) Format(f fmt.State, _ rune) { _, _ = f.Write([]byte(Redacted)) }

// LogValue is Format for slog.
func (t Text) LogValue() slog.Value { return slog.StringValue(Redacted) }

// MarshalText is Format for JSON.
func (t Text) MarshalText() ([]byte, error) { return []byte(Redacted), nil }

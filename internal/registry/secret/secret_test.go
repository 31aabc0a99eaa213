package secret

import (
	"encoding/json"
	"fmt"
	"log/slog"
	"strings"
	"testing"
)

func TestNothingShowsIt(t *testing.T) {
	const hidden = "hunter2"
	type holder struct {
		Name string
		text Text
		Open Text
	}
	h := holder{"x", New(hidden), New(hidden)}
	var logged strings.Builder
	slog.New(slog.NewJSONHandler(&logged, nil)).Info("holding", "holder", h.Open, "all", h)
	b, err := json.Marshal(h)
	if err != nil {
		t.Fatal(err)
	}
	shown := fmt.Sprintf("%v %+v %#v %s %q %x %v", h, h, h, h.Open, h.text, h.Open, &h) + logged.String() + string(b)
	if strings.Contains(shown, hidden) || strings.Contains(shown, fmt.Sprintf("%x", hidden)) {
		t.Errorf("it shows: %s", shown)
	}
	if h.text.Reveal() != hidden || h.text.IsZero() || !(Text{}).IsZero() || (Text{}).Reveal() != "" {
		t.Error("it does not keep what it holds")
	}
}

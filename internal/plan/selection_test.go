package plan

import (
	"strings"
	"testing"
	"time"

	gocmp "github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"transship/internal/document"
)

func TestParseSince(t *testing.T) {
	now := time.Date(2026, 11, 23, 12, 0, 0, 0, time.UTC)
	for text, want := range map[string]string{
		"2026-11-01": "2026-11-01T00:00:00Z", "2026-11-01T08:00:00+02:00": "2026-11-01T06:00:00Z", "12h": "2026-11-23T00:00:00Z",
		"30d": "2026-10-24T12:00:00Z", "2w": "2026-11-09T12:00:00Z", "1w1d": "2026-11-15T12:00:00Z", "1d12h": "2026-11-22T00:00:00Z",
	} {
		if got, err := ParseSince(text, now); err != nil || got.Format(time.RFC3339) != want {
			t.Errorf("%s is %s, not %s (%v)", text, got, want, err)
		}
	}
	for _, text := range []string{"", "d", "30", "-3d", "-12h", "3d-12h", "1d1w", "yesterday", "2026-13-01", "99999999999d", "1.5d"} {
		if got, err := ParseSince(text, now); err == nil || !strings.Contains(err.Error(), "2026-11-23") {
			t.Errorf("%q is %s, %v", text, got, err)
		}
	}
}

func TestParseSelection(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		s := drawSelection(t)
		got, err := ParseSelection(s.Document())
		if s.OlderVersions > 0 && !s.selects() {
			if err == nil {
				t.Error("older versions of nothing pass")
			}
			return
		}
		if diff := gocmp.Diff(s.Document(), got.Document()); err != nil || diff != "" {
			t.Error(diff, err)
		}
	})
	for flag, d := range map[string]document.Selection{
		"newest": {Newest: -1}, "older-versions": {OlderVersions: -1, Newest: 1}, "tag": {Tags: []string{""}},
	} {
		if _, err := ParseSelection(d); err == nil || !strings.HasPrefix(err.Error(), flag+":") {
			t.Errorf("%+v: %v", d, err)
		}
	}
}

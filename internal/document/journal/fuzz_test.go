package journal

import (
	"bytes"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// FuzzRead reads a journal of any bytes, as a crash or an editor may leave it, and goes on writing it: what was read
// before is read again, and so is what comes after it.
func FuzzRead(f *testing.F) {
	for _, seed := range []string{
		"", header, header + `{"time":"2026-11-23T12:00:00Z","kind":"blob","target":"us-docker.pkg.dev/p/r/a","digest":"sha256:` + strings.Repeat("a", 64) + `"}` + "\n",
		header + `{"kind":"tag","tag":"v`, `{"kind":1}`, "\x00\xff\n\n", strings.Repeat("x", maxLine+1) + "\n{}\n", `{"kind":"tag"}` + "\r\n",
	} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		path := filepath.Join(t.TempDir(), "journal.jsonl")
		if err := os.WriteFile(path, b, 0o600); err != nil {
			t.Fatal(err)
		}
		events := func() (out []Event) {
			if err := Read(path, func(e Event) { out = append(out, e) }); err != nil {
				t.Fatal(err)
			}
			return out
		}
		before := events()
		if lines := bytes.Count(b, []byte{'\n'}) + 1; len(before) > lines {
			t.Errorf("%d events in %d lines", len(before), lines)
		}
		j, err := Open(path, func() time.Time { return time.Unix(0, 0) })
		if err != nil {
			t.Fatal(err)
		}
		j.Append(Event{Kind: Stage, Note: "fuzz"})
		if err := j.Close(); err != nil {
			t.Fatal(err)
		}
		if after := events(); len(after) != len(before)+1 || after[len(before)].Note != "fuzz" {
			t.Errorf("%d events became %d", len(before), len(after))
		}
	})
}

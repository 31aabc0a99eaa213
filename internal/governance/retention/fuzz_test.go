package retention

import (
	"os"
	"path/filepath"
	"testing"

	"transship/internal/governance/cleanup"
	"transship/internal/governance/lifecycle"
)

func FuzzTranslate(f *testing.F) {
	files, err := filepath.Glob("testdata/*.json")
	if err != nil {
		f.Fatal(err)
	}
	for _, file := range files {
		text, err := os.ReadFile(file)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(string(text))
	}
	images := readImages(f, "testdata/default.images")
	f.Fuzz(func(t *testing.T, text string) {
		r := Translate(one("team/app", text, images))
		if err := cleanup.Check(r.Policies); err != nil {
			t.Error(err)
		}
		settings := r.Sources[0].Settings
		if p, err := lifecycle.Parse(text); err == nil && len(p.Problems) == 0 && len(settings) != len(p.Rules) {
			t.Errorf("%d rules, %v", len(p.Rules), settings)
		}
		if text != "" && len(settings) == 0 {
			t.Error("the policy was dropped")
		}
	})
}

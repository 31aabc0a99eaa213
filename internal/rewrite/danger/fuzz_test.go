package danger

import (
	"bytes"
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"testing"
	"unicode"
	"unicode/utf8"

	"pgregory.net/rapid"

	"transship/internal/rewrite/mention"
)

var types = []mention.Type{
	mention.YAML, mention.Template, mention.JSON, mention.HCL, mention.Dockerfile, mention.Shell, mention.Groovy,
	mention.Markdown, mention.Code, mention.Plain,
}

// sound fails unless a judgement is one that the engine can use, whatever the text is.
func sound(t interface{ Fatalf(string, ...any) }, f mention.File, j mention.Judgement) {
	if len(j.Edits) > 0 {
		t.Fatalf("edits %v", j.Edits)
	}
	lines := 1 + bytes.Count(f.Text, newline)
	finding := func(d mention.Finding) {
		switch {
		case d.File != f.Path || d.Line < 1 || d.Line > lines:
			t.Fatalf("%+v is not in a file of %d lines", d, lines)
		case mention.Kind("?").Compare(d.Kind) <= 0:
			t.Fatalf("%+v has no kind", d)
		case len(d.Text) > maxText || !utf8.ValidString(d.Text) || strings.ContainsFunc(d.Text, func(r rune) bool { return !unicode.IsGraphic(r) }):
			t.Fatalf("%q is no text for a terminal (%d bytes)", d.Text, len(d.Text))
		case !sentence(d.Why) || !sentence(d.Do):
			t.Fatalf("%+v does not say why and what to do", d)
		}
	}
	for i, d := range j.Findings {
		finding(d)
		if i > 0 && j.Findings[i-1].Line > d.Line {
			t.Fatalf("findings are not sorted: %+v", j.Findings)
		}
	}
	for i, k := range j.Keep {
		if k.Start < 0 || k.Start > k.End || k.End > len(f.Text) || i > 0 && j.Keep[i-1].Start > k.Start {
			t.Fatalf("kept %+v of %d bytes", j.Keep, len(f.Text))
		}
		if k.Finding.Kind != "" {
			finding(k.Finding)
		}
	}
}

// sentence reports whether s is one, with nothing in it that was to be put in.
func sentence(s string) bool { return strings.HasSuffix(s, ".") && !strings.Contains(s, "{") }

func FuzzJudge(f *testing.F) {
	err := filepath.WalkDir("testdata", func(path string, d os.DirEntry, err error) error {
		if err != nil || d.IsDir() || !strings.Contains(path, "/in/") {
			return err
		}
		text, err := os.ReadFile(path)
		f.Add(filepath.Base(path), byte(slices.Index(types, typeOf(path))), text)
		return err
	})
	if err != nil {
		f.Fatal(err)
	}
	for n := range types {
		f.Add("x", byte(n), []byte("- a:\n  b: 'x'\n  image: "+host+"/team/api\n"))
	}
	f.Add("x.sh", byte(5), []byte("docker login 123456789012.dkr.ecr.us-east-1.amazonaws.com \\"))
	f.Fuzz(func(t *testing.T, path string, typ byte, text []byte) {
		file := mention.File{Path: path, Text: text, Type: types[int(typ)%len(types)]}
		j := Judge(file, fake{})
		sound(t, file, j)
		marked := slices.ContainsFunc(Markers, func(m []byte) bool { return bytes.Contains(text, m) })
		if Marked(text) && !marked || !marked && len(j.Findings)+len(j.Keep) > 0 {
			t.Fatalf("%+v without a marker", j)
		}
		if again := Judge(file, fake{}); !reflect.DeepEqual(j, again) {
			t.Fatalf("first %+v, then %+v", j, again)
		}
	})
}

// TestAnyOrder joins lines of all trees in any order and looks whether the judgement is sound.
func TestAnyOrder(t *testing.T) {
	var lines []string
	err := filepath.WalkDir("testdata", func(path string, d os.DirEntry, err error) error {
		if err != nil || d.IsDir() || !strings.Contains(path, "/in/") {
			return err
		}
		text, err := os.ReadFile(path)
		lines = append(lines, strings.Split(string(text), "\n")...)
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	rapid.Check(t, func(t *rapid.T) {
		text := rapid.SliceOfN(rapid.SampledFrom(lines), 0, 40).Draw(t, "lines")
		end := rapid.SampledFrom([]string{"\n", "\r\n", "\n\n", " \\\n"}).Draw(t, "end")
		typ := rapid.SampledFrom(types).Draw(t, "type")
		f := mention.File{Path: "a/b.x", Text: []byte(strings.Join(text, end)), Type: typ}
		sound(t, f, Judge(f, fake{}))
	})
}

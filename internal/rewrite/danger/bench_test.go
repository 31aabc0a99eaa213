package danger

import (
	"bytes"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"transship/internal/rewrite/mention"
)

// BenchmarkJudge tells how fast texts are judged: with nothing to find, with words that only have a marker in them, with
// plain references, and with all that the trees have.
func BenchmarkJudge(b *testing.B) {
	var trees bytes.Buffer
	err := filepath.WalkDir("testdata", func(path string, d os.DirEntry, err error) error {
		if err != nil || d.IsDir() || !strings.Contains(path, "/in/") {
			return err
		}
		text, err := os.ReadFile(path)
		trees.Write(text)
		return err
	})
	if err != nil {
		b.Fatal(err)
	}
	const without = "spec:\n  replicas: 3\n  name: some-service-of-the-team\n  annotations: [one, two]\n"
	for _, c := range []struct{ name, text string }{
		{"without markers", strings.Repeat(without, 12_000)},
		{"secrets", strings.Repeat(without+"secret: x\n", 12_000)},
		{"a manifest", strings.Repeat(without, 20) + "image: " + host + "/team/api:1\n"},
		{"references", strings.Repeat(strings.Repeat(without, 20)+"image: "+host+"/team/api:1\n", 600)},
		{"one of twenty", strings.Repeat(without, 12_000) + trees.String()},
		{"all", strings.Repeat(trees.String(), 20)},
	} {
		for _, typ := range []mention.Type{mention.YAML, mention.Shell} {
			f := mention.File{Path: "x", Text: []byte(c.text), Type: typ}
			b.Run(c.name+"/"+string(typ), func(b *testing.B) {
				b.SetBytes(int64(len(f.Text)))
				for b.Loop() {
					Judge(f, fake{})
				}
			})
		}
	}
}

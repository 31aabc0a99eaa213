package rewrite

import (
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/opencontainers/go-digest"

	"transship/internal/document"
	"transship/internal/ref"
	"transship/internal/rewrite/proved"
)

// The names of the catalogue.
const (
	h      = "123456789012.dkr.ecr.us-east-1.amazonaws.com"
	target = "us-docker.pkg.dev/my-gcp-project/app-images"
)

var (
	source = ref.Registry{Account: "123456789012", Region: "us-east-1"}
	then   = time.Date(2026, 7, 1, 12, 0, 0, 0, time.UTC)
	sum    = digest.FromString("team/api 1.4.2")
	lost   = digest.FromString("lost")
)

// verified is what verify found in the tests: every repository below is whole but team/old, which lacks 2.0 and left out
// a digest. At the target alone there is team/api:9.9.
func verified(t testing.TB) document.Verification {
	t.Helper()
	to, err := ref.ParseTarget(target)
	if err != nil {
		t.Fatal(err)
	}
	v := document.Verification{Header: document.NewHeader(document.KindVerification, document.Migration{Sources: []ref.Registry{source}, Target: target})}
	for _, name := range []string{"charts/common", "charts/web", "shop/cart", "team/api", "team/old", "team/web", "team/worker", "tools/kubectl"} {
		r := document.VerifiedRepository{Source: source.Repository(name), Target: to.Join(name), VerifiedAt: then}
		for _, tag := range []string{"1.4.2", "1.4.3", "latest", "v1"} {
			d := digest.FromString(name + " " + tag)
			r.Tags, r.Digests = append(r.Tags, document.VerifiedTag{Tag: tag, Digest: d}), append(r.Digests, d)
		}
		slices.Sort(r.Digests)
		if name == "team/old" {
			r.Missing, r.Excluded = 1, 1
			v.Cases = append(v.Cases,
				document.Case{Kind: document.CaseMissing, Source: r.Source, Target: r.Target.String(), Tag: "2.0", SourceDigest: digest.FromString("2.0"), Cause: "it was never copied"},
				document.Case{Kind: document.CaseExcluded, Source: r.Source, Target: r.Target.String(), SourceDigest: lost, Rule: "archived", Cause: "it is archived"})
		}
		v.Repositories = append(v.Repositories, r)
	}
	v.Cases = append(v.Cases, document.Case{Kind: document.CaseExtra, Target: target + "/team/api", Tag: "9.9", TargetDigest: digest.FromString("9.9"), Cause: "it is only at the target"})
	return v
}

func known(t testing.TB) *proved.Known {
	t.Helper()
	k, err := proved.FromVerification(verified(t), nil, proved.Options{})
	if err != nil {
		t.Fatal(err)
	}
	return k
}

// files are the files below dir, by their paths with slashes.
func files(t testing.TB, dir string) map[string]string {
	t.Helper()
	out := map[string]string{}
	err := filepath.WalkDir(dir, func(path string, d fs.DirEntry, err error) error {
		if err != nil || !d.Type().IsRegular() {
			return err
		}
		b, err := os.ReadFile(path)
		rel, _ := filepath.Rel(dir, path)
		out[filepath.ToSlash(rel)] = string(b)
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return out
}

// plant writes files below a new folder.
func plant(t testing.TB, files map[string]string) string {
	t.Helper()
	dir := t.TempDir()
	for name, text := range files {
		path := filepath.Join(dir, filepath.FromSlash(name))
		if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	return dir
}

// run runs on a folder, whose path is cut off from what is reported.
func run(t testing.TB, dir string, c Config) Report {
	t.Helper()
	c.Paths = []string{dir}
	if c.Known == nil {
		c.Known = known(t)
	}
	r, err := Run(t.Context(), c)
	if err != nil {
		t.Fatal(err)
	}
	prefix := filepath.ToSlash(dir) + "/"
	for n := range r.Findings {
		r.Findings[n].File = strings.TrimPrefix(r.Findings[n].File, prefix)
	}
	for n := range r.Edits {
		r.Edits[n].File = strings.TrimPrefix(r.Edits[n].File, prefix)
	}
	return r
}

// kinds are the findings in short: FILE:LINE KIND.
func kinds(r Report) []string {
	out := []string{}
	for _, f := range r.Findings {
		out = append(out, f.File+":"+strconv.Itoa(f.Line)+" "+string(f.Kind))
	}
	slices.Sort(out)
	return out
}

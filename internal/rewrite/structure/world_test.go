package structure

import (
	"bytes"
	"cmp"
	"io/fs"
	"path"
	"slices"
	"strings"

	"transship/internal/ref"
	"transship/internal/references"
	"transship/internal/rewrite/mention"
)

// The names of the catalogue.
const (
	h  = "123456789012.dkr.ecr.us-east-1.amazonaws.com"
	ar = "us-docker.pkg.dev/my-gcp-project/app-images"
)

var home = ref.Registry{Account: "123456789012", Region: "us-east-1"}

// oracle knows the repositories of a small world.
type oracle struct{}

// arrived are the repositories that are at the target with all that they have, and their paths there.
var arrived = map[string]string{
	"team/api": "team/api", "team/web": "team/web", "team/worker": "team/worker", "team/base": "team/base", "team/base-dev": "team/base-dev",
	"shop/web": "shop/web", "charts/common": "charts/common", "charts/web": "charts/web", "charts/db": "charts/db", "old/name": "new/place",
	"charts/moved": "elsewhere/moved-chart", "mod/vpc": "mod/vpc",
}

func (oracle) Ask(n references.Name) mention.Answer {
	target := ref.TargetRepository{Location: "us", Project: "my-gcp-project", ID: "app-images"}
	if p, ok := arrived[n.Repository.Name]; ok && n.Repository.Registry == home {
		a := mention.Answer{Verdict: mention.Proved, Target: target.Image(p)}
		if n.Tag == "9.9.9" {
			a.Verdict, a.Why = mention.Unverified, "the tag 9.9.9 is not at the target"
		}
		return a
	}
	if n.Repository.Name == "team/late" { // of which one tag arrived
		a := mention.Answer{Verdict: mention.Unverified, Target: target.Image("team/late"), Why: "some of its images are missing"}
		if n.Tag == "1.0.0" {
			a.Verdict, a.Why = mention.Proved, ""
		}
		return a
	}
	return mention.Answer{Verdict: mention.NotMoved, Why: "its repository is not part of the migration"}
}

func (oracle) Sources() []ref.Registry { return []ref.Registry{home} }

// tree is a tree in memory or in a folder.
type tree struct{ fs.FS }

func (t tree) Read(p string) ([]byte, error) { return fs.ReadFile(t.FS, p) }

// typeOf is a small form of the engine's own.
func typeOf(file string, text []byte) mention.Type {
	base := path.Base(file)
	switch ext := path.Ext(file); {
	case ext == ".yaml" || ext == ".yml" || base == "Kustomization":
		if strings.Contains(file, "templates/") && bytes.Contains(text, []byte("{{")) {
			return mention.Template
		}
		return mention.YAML
	case ext == ".tpl":
		return mention.Template
	case ext == ".json":
		return mention.JSON
	case ext == ".tf" || ext == ".tfvars":
		return mention.HCL
	case strings.HasPrefix(base, "Dockerfile"):
		return mention.Dockerfile
	case ext == ".sh" || base == "Makefile":
		return mention.Shell
	case base == "Jenkinsfile":
		return mention.Groovy
	case ext == ".md":
		return mention.Markdown
	}
	return mention.Plain
}

// all are the edits of a file as the engine has them: those of structure, and plain references outside of what is kept.
func all(f mention.File, j mention.Judgement) []mention.Edit {
	edits := slices.Clone(j.Edits)
	taken := make([]mention.Span, 0, len(edits)+len(j.Keep))
	for _, e := range edits {
		taken = append(taken, e.Span)
	}
	for _, k := range j.Keep {
		taken = append(taken, k.Span)
	}
	for r := range references.NewFinder(home).Find(f.Text) {
		overlaps := func(s mention.Span) bool { return s.Start < r.End && r.Start < s.End }
		if a := (oracle{}).Ask(r.Name); !r.Open && a.Verdict == mention.Proved && !slices.ContainsFunc(taken, overlaps) {
			edits = append(edits, mention.Edit{Span: mention.Span{Start: r.Start, End: r.NameEnd}, New: a.Target.String(), Of: r.Name, To: a.Target})
		}
	}
	slices.SortFunc(edits, func(a, b mention.Edit) int { return cmp.Compare(a.Start, b.Start) })
	return edits
}

// apply makes edits, and returns those that take them back.
func apply(text []byte, edits []mention.Edit) (out []byte, back []mention.Edit) {
	at := 0
	for _, e := range edits {
		out = append(out, text[at:e.Start]...)
		back = append(back, mention.Edit{Span: mention.Span{Start: len(out), End: len(out) + len(e.New)}, New: string(text[e.Start:e.End])})
		out = append(out, e.New...)
		at = e.End
	}
	return append(out, text[at:]...), back
}

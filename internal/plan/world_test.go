package plan

import (
	"fmt"
	"slices"
	"time"

	"github.com/opencontainers/go-digest"
	"pgregory.net/rapid"

	"transship/internal/document"
	"transship/internal/ref"
)

var (
	virginia = ref.Registry{Account: "123456789012", Region: "us-east-1"}
	ireland  = ref.Registry{Account: "123456789012", Region: "eu-west-1"}
	other    = ref.Registry{Account: "210987654321", Region: "us-east-1"}
)

func target(path string) ref.TargetImage {
	return ref.TargetImage{Repository: ref.TargetRepository{Location: "us", Project: "my-project", ID: "app-images"}, Path: path}
}

func hash(name string) digest.Digest { return digest.FromString(name) }

// world is an inventory and content under construction.
type world struct {
	inv     document.Inventory
	content document.Content
	rules   Rules
}

func newWorld(rules ...ref.Rule) *world {
	m := ref.Mapping{Default: target(""), Rules: rules}
	return &world{
		content: document.Content{},
		rules:   Rules{Migration: NewMigration([]ref.Registry{virginia, ireland, other}, m), Mapping: m},
	}
}

func (w *world) repository(r ref.Repository) {
	w.inv.Source.Repositories = append(w.inv.Source.Repositories, document.SourceRepository{Name: r.Name, URI: r})
}

// image lists the manifest called name, with tags, in r.
func (w *world) image(r ref.Repository, name string, tags ...string) *document.SourceImage {
	w.inv.Source.Images = append(w.inv.Source.Images, document.SourceImage{
		Name: r.Name, URI: r, Digest: hash(name), Tags: tags, Status: document.StatusActive,
	})
	return &w.inv.Source.Images[len(w.inv.Source.Images)-1]
}

// manifest knows the manifest called name, with blobs of 100 bytes each.
func (w *world) manifest(name string, blobs ...string) {
	e := document.ContentEntry{Digest: hash(name), MediaType: "application/vnd.oci.image.manifest.v1+json", Size: 10}
	for _, b := range blobs {
		e.Blobs = append(e.Blobs, document.ContentItem{Digest: hash("blob " + b), Size: 100})
	}
	w.content[e.Digest] = e
}

// index knows the index called name.
func (w *world) index(name string, children ...string) {
	e := document.ContentEntry{Digest: hash(name), MediaType: "application/vnd.oci.image.index.v1+json", Size: 10}
	for _, c := range children {
		e.Children = append(e.Children, document.ContentItem{Digest: hash(c), Size: 10, Platform: "linux/" + c})
	}
	w.content[e.Digest] = e
}

// describe gives the manifest called name a subject.
func (w *world) describe(name, subject string) {
	e := w.content[hash(name)]
	e.Subject = hash(subject)
	w.content[hash(name)] = e
}

func (w *world) plan() document.Plan { return Make(w.rules, w.inv, w.content) }

func mustRule(from, to string) ref.Rule {
	r, err := ref.ParseRule(from, to)
	if err != nil {
		panic(err)
	}
	return r
}

// drawWorld makes any world: indexes within indexes, referrers, repositories that share content or a target, archived,
// unknown and broken manifests, failures, scopes.
func drawWorld(t *rapid.T) *world {
	w := newWorld(
		mustRule(virginia.Host()+"/merged", "us-docker.pkg.dev/my-project/app-images/one"),
		mustRule(ireland.Host()+"/merged", "us-docker.pkg.dev/my-project/app-images/one"),
		mustRule(other.Host()+"/**", "europe-docker.pkg.dev/my-project/other/**"),
	)
	if rapid.Bool().Draw(t, "unmapped") {
		w.rules.Mapping.Default = ref.TargetImage{}
	}
	if rapid.Bool().Draw(t, "scoped") {
		w.rules.Scope, _ = ref.ParseScope(nil, []string{"team/*"})
	}
	n := rapid.IntRange(0, 12).Draw(t, "manifests")
	for i := range n {
		drawManifest(t, w, i)
	}
	name := rapid.SampledFrom([]string{"merged", "api", "team/web", "xy"})
	registries := rapid.SampledFrom([]ref.Registry{virginia, ireland, other})
	seen := map[ref.Repository]bool{}
	for range rapid.IntRange(0, 6).Draw(t, "repositories") {
		r := registries.Draw(t, "registry").Repository(name.Draw(t, "name"))
		if seen[r] {
			continue
		}
		seen[r] = true
		w.repository(r)
		if rapid.IntRange(0, 9).Draw(t, "fails") == 0 {
			w.inv.Failures = append(w.inv.Failures, document.Failure{Source: r.String(), Class: "denied", Error: "no"})
			continue
		}
		if rapid.IntRange(0, 9).Draw(t, "cached") == 0 {
			w.inv.Source.Repositories[len(w.inv.Source.Repositories)-1].PullThrough = "registry-1.docker.io"
		}
		drawImages(t, w, r, n)
	}
	w.rules.Selection = drawSelection(t)
	return w
}

// drawSelection makes any selection; one in two is none.
func drawSelection(t *rapid.T) Selection {
	var s Selection
	if rapid.Bool().Draw(t, "everything") {
		return s
	}
	if rapid.Bool().Draw(t, "by tag") {
		s.Tags = globs(rapid.SampledFrom([]string{"v*", "latest", "*"}).Draw(t, "tag"))
	}
	if rapid.Bool().Draw(t, "by push") {
		s.PushedSince = at(rapid.IntRange(0, 9).Draw(t, "pushed since"))
	}
	if rapid.Bool().Draw(t, "by pull") {
		s.PulledSince = at(rapid.IntRange(0, 9).Draw(t, "pulled since"))
	}
	s.Newest = rapid.IntRange(0, 3).Draw(t, "newest")
	s.OlderVersions = rapid.IntRange(0, 2).Draw(t, "older versions")
	s.WithoutReferrers = rapid.Bool().Draw(t, "without referrers")
	s.TaggedOnly = rapid.Bool().Draw(t, "tagged only")
	s.PullThrough = rapid.Bool().Draw(t, "pull-through")
	s.WithoutExpired = rapid.Bool().Draw(t, "without expired")
	return s
}

// at is a time some days after the first.
func at(days int) time.Time {
	return time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC).AddDate(0, 0, days)
}

func globs(texts ...string) []ref.Glob {
	var out []ref.Glob
	for _, text := range texts {
		g, err := ref.ParseGlob(text)
		if err != nil {
			panic(err)
		}
		out = append(out, g)
	}
	return out
}

func drawManifest(t *rapid.T, w *world, i int) {
	called := fmt.Sprint(i)
	switch kind := rapid.IntRange(0, 9).Draw(t, "kind"); {
	case kind == 0: // unknown
	case kind == 1:
		w.content[hash(called)] = document.ContentEntry{Digest: hash(called), Problem: "nonsense"}
	case kind < 5 && i > 0:
		var children []string
		for _, c := range rapid.SliceOfNDistinct(rapid.IntRange(0, i-1), 1, min(i, 3), rapid.ID).Draw(t, "children") {
			children = append(children, fmt.Sprint(c))
		}
		w.index(called, children...)
	case kind == 9 && i > 0:
		w.manifest(called, "a")
		w.describe(called, fmt.Sprint(rapid.IntRange(0, i-1).Draw(t, "subject")))
	default:
		w.manifest(called, rapid.SliceOfNDistinct(rapid.SampledFrom([]string{"a", "b", "c", "d"}), 0, 3, rapid.ID).Draw(t, "blobs")...)
	}
}

func drawImages(t *rapid.T, w *world, r ref.Repository, manifests int) {
	if manifests == 0 {
		return
	}
	tags := []string{"v1", "v2", "latest", "prod"}
	for range rapid.IntRange(0, 2).Draw(t, "signatures") {
		tag := "sha256-" + hash(fmt.Sprint(rapid.IntRange(0, manifests-1).Draw(t, "signed"))).Encoded() + ".sig"
		if !slices.Contains(tags, tag) {
			tags = slices.Insert(tags, rapid.IntRange(0, len(tags)).Draw(t, "position"), tag)
		}
	}
	for _, i := range rapid.SliceOfNDistinct(rapid.IntRange(0, manifests-1), 0, manifests, rapid.ID).Draw(t, "images") {
		var mine []string
		if len(tags) > 0 && rapid.Bool().Draw(t, "tagged") {
			cut := rapid.IntRange(1, len(tags)).Draw(t, "tags")
			mine, tags = slices.Clone(tags[:cut]), tags[cut:]
		}
		image := w.image(r, fmt.Sprint(i), mine...)
		image.PushedAt, image.LastPulledAt = at(rapid.IntRange(0, 9).Draw(t, "pushed")), at(rapid.IntRange(0, 9).Draw(t, "pulled"))
		image.Status = rapid.SampledFrom([]string{
			document.StatusActive, document.StatusActive, document.StatusActive, document.StatusActive, document.StatusArchived, document.StatusActivating,
		}).Draw(t, "status")
	}
}

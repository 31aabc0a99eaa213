package plan

import (
	"fmt"
	"runtime"
	"sort"
	"testing"
	"time"

	gocmp "github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"transship/internal/document"
	"transship/internal/ref"
)

func sortStrings(less func(a, b string) bool) gocmp.Option { return cmpopts.SortSlices(less) }

func TestNothingIsAPlan(t *testing.T) {
	p := newWorld().plan()
	if len(p.Repositories)+len(p.Images)+len(p.Manifests)+len(p.Blobs)+len(p.Refused) != 0 {
		t.Errorf("%+v", p)
	}
	if p.Repositories == nil || p.Images == nil || p.Manifests == nil || p.Blobs == nil || p.Refused == nil || p.Difference.ForeignTags == nil {
		t.Error("a list is null in the document")
	}
}

func TestChildrenAreReferencesOfTheirOwn(t *testing.T) {
	api := virginia.Repository("api")
	w := newWorld()
	w.repository(api)
	w.manifest("amd64", "a")
	w.index("inner", "amd64")
	w.index("outer", "inner")
	w.image(api, "outer", "v1")
	p := w.plan()
	tags := map[string]int{}
	for _, r := range p.Images[0].References {
		tags[r.Digest.String()] = len(r.Tags)
	}
	want := map[string]int{hash("outer").String(): 1, hash("inner").String(): 0, hash("amd64").String(): 0}
	if diff := gocmp.Diff(want, tags); diff != "" {
		t.Error(diff)
	}
}

func TestForeignLayersStayOut(t *testing.T) {
	api := virginia.Repository("api")
	w := newWorld()
	w.repository(api)
	w.manifest("windows", "config")
	e := w.content[hash("windows")]
	e.Foreign = []document.ContentItem{{Digest: hash("base"), Size: 1 << 30}}
	w.content[hash("windows")] = e
	w.image(api, "windows", "v1")
	p := w.plan()
	if len(p.Blobs) != 1 || p.Difference.CopyBytes != 100 {
		t.Errorf("%d blobs, %d bytes", len(p.Blobs), p.Difference.CopyBytes)
	}
}

func TestAnEmptyRepositoryNeedsItsTarget(t *testing.T) {
	w := newWorld()
	w.repository(virginia.Repository("api"))
	p := w.plan()
	if len(p.Repositories) != 1 || len(p.Images) != 0 || p.Difference.CreateRepositories != 1 {
		t.Errorf("%+v", p)
	}
}

func TestDifference(t *testing.T) {
	api, web := virginia.Repository("api"), virginia.Repository("web")
	w := newWorld()
	w.repository(api)
	w.repository(web)
	w.manifest("1", "a", "b")
	w.manifest("2", "b", "c")
	w.manifest("3", "c", "d")
	w.image(api, "1", "v1", "latest")
	w.image(api, "2", "v2", "kept")
	w.image(web, "2", "v2")
	w.image(web, "3", "v3")
	w.inv.Target.Repositories = []document.TargetRepository{{URI: target("").Repository}}
	w.inv.Target.Images = []document.TargetImage{
		{URI: target("api"), Digest: hash("1"), Tags: []string{"v1", "v2", "more"}}, // v2 is to move
		{URI: target("api"), Digest: hash("stranger"), Tags: []string{"kept"}},
		{URI: target("elsewhere"), Digest: hash("stranger")},
	}
	want := document.Difference{
		CopyManifests: 3, PresentManifests: 1,
		SetTags: 3, MoveTags: 1, PresentTags: 1,
		CopyBlobs: 2, CopyBytes: 200, // c and d: a and b are there
		MountBlobs:  2, // b and c in web
		TotalBytes:  4*100 + 3*10,
		ExtraImages: 1,
		ForeignTags: []document.Tag{{Target: target("api"), Tag: "kept", Digest: hash("stranger")}},
	}
	if diff := gocmp.Diff(want, w.plan().Difference); diff != "" {
		t.Error(diff)
	}
}

func TestEachHostIsReadForOnce(t *testing.T) {
	api, web := virginia.Repository("api"), virginia.Repository("web")
	w := newWorld(mustRule("web", "europe-docker.pkg.dev/my-project/web"))
	w.repository(api)
	w.repository(web)
	w.manifest("1", "a")
	w.image(api, "1")
	w.image(web, "1")
	if d := w.plan().Difference; d.CopyBlobs != 2 || d.CopyBytes != 200 || d.MountBlobs != 0 || d.TotalBytes != 110 {
		t.Errorf("%+v", d)
	}
}

func TestNewMigration(t *testing.T) {
	m := ref.Mapping{Default: target("")}
	a := NewMigration([]ref.Registry{virginia, ireland, virginia}, m)
	b := NewMigration([]ref.Registry{ireland, virginia}, m)
	if d := a.Differs(b); d != "" {
		t.Error(d)
	}
	if a.Target != "us-docker.pkg.dev/my-project/app-images" || a.Mapping != "" {
		t.Errorf("%+v", a)
	}
	one, two := mustRule("a", "us-docker.pkg.dev/my-project/app-images"), mustRule("b", "us-docker.pkg.dev/my-project/app-images")
	c := NewMigration(nil, ref.Mapping{Rules: []ref.Rule{one, two}})
	d := NewMigration(nil, ref.Mapping{Rules: []ref.Rule{two, one}})
	if c.Mapping == "" || c.Mapping == d.Mapping || c.Target != "" {
		t.Errorf("%+v, %+v", c, d)
	}
}

// large is an inventory of so many repositories of 100 images each, a fifth of which are indexes.
func large(repositories int) *world {
	w := newWorld()
	for r := range repositories {
		repo := virginia.Repository(fmt.Sprintf("team-%d/service-%d", r%20, r))
		w.repository(repo)
		for i := range 20 {
			var children []string
			for c := range 4 {
				name := fmt.Sprintf("%d.%d.%d", r, i, c)
				w.manifest(name, fmt.Sprintf("config %s", name), fmt.Sprintf("base %d", c), fmt.Sprintf("team %d.%d", r%20, i%3), fmt.Sprintf("app %s", name))
				w.image(repo, name)
				children = append(children, name)
			}
			name := fmt.Sprintf("%d.%d", r, i)
			w.index(name, children...)
			w.image(repo, name, fmt.Sprintf("v%d", i))
		}
	}
	return w
}

func TestALargeMigrationIsPlannedFast(t *testing.T) {
	w := large(200)
	runtime.GC()
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	start := time.Now()
	p := w.plan()
	took := time.Since(start)
	runtime.ReadMemStats(&after)
	n := 0
	for _, image := range p.Images {
		n += len(image.References)
	}
	t.Logf("%d references in %v, %d MB allocated", n, took, (after.TotalAlloc-before.TotalAlloc)>>20)
	if n != 20_000 || took > 20*time.Second { // some 0.3 s on a laptop; the bound finds what is not linear
		t.Errorf("%d references in %v", n, took)
	}
	if !sort.SliceIsSorted(p.Manifests, func(i, j int) bool { return p.Manifests[i].Digest < p.Manifests[j].Digest }) {
		t.Error("the manifests are not sorted")
	}
}

func BenchmarkMake(b *testing.B) {
	w := large(1000)
	b.ReportAllocs()
	for b.Loop() {
		w.plan()
	}
}

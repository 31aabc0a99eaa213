package content

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/opencontainers/go-digest"
	ocispec "github.com/opencontainers/image-spec/specs-go/v1"

	"transship/internal/document"
	"transship/internal/ref"
	"transship/internal/registry"
)

var (
	virginia = ref.Registry{Account: "123456789012", Region: "us-east-1"}
	ireland  = ref.Registry{Account: "123456789012", Region: "eu-west-1"}
)

// fake is ECR in memory: manifests by repository. It serves both bulk reads and single ones.
type fake struct {
	registry ref.Registry

	mu     sync.Mutex
	served map[ref.Repository]map[digest.Digest]registry.Manifest
	errs   map[digest.Digest]error  // of one manifest in bulk
	calls  map[ref.Repository]error // of whole calls
	log    []string                 // repository and number of digests of each call
	single []digest.Digest          // read one by one
	before func(ds []digest.Digest) // called at the start of each call
	images []document.SourceImage
}

func newFake(r ref.Registry) *fake {
	return &fake{
		registry: r, served: map[ref.Repository]map[digest.Digest]registry.Manifest{},
		errs: map[digest.Digest]error{}, calls: map[ref.Repository]error{},
	}
}

func notFound(d digest.Digest) error {
	return &registry.Error{Side: registry.Source, Op: "read manifest", Object: d.String(), Class: registry.NotFound, Err: errors.New("not found")}
}

func (f *fake) Registry() ref.Registry { return f.registry }

func (f *fake) Manifests(ctx context.Context, repo ref.Repository, ds []digest.Digest) ([]registry.Manifest, map[digest.Digest]error, error) {
	if f.before != nil {
		f.before(ds)
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	f.log = append(f.log, fmt.Sprintf("%s %d", repo.Name, len(ds)))
	if err := f.calls[repo]; err != nil {
		return nil, nil, err
	}
	if ctx.Err() != nil {
		return nil, nil, ctx.Err()
	}
	var found []registry.Manifest
	failed := map[digest.Digest]error{}
	for _, d := range ds {
		m, ok := f.served[repo][d]
		switch {
		case f.errs[d] != nil:
			failed[d] = f.errs[d]
		case !ok:
			failed[d] = notFound(d)
		default:
			found = append(found, m)
		}
	}
	return found, failed, nil
}

func (f *fake) Manifest(_ context.Context, repo ref.Repository, d digest.Digest) (registry.Manifest, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.single = append(f.single, d)
	m, ok := f.served[repo][d]
	if !ok {
		return m, notFound(d)
	}
	return m, nil
}

// serve makes repo serve a manifest without listing it.
func (f *fake) serve(repo ref.Repository, mediaType, body string) digest.Digest {
	d := digest.FromString(body)
	if f.served[repo] == nil {
		f.served[repo] = map[digest.Digest]registry.Manifest{}
	}
	f.served[repo][d] = registry.Manifest{Digest: d, MediaType: mediaType, Bytes: []byte(body)}
	return d
}

// list makes the inventory list d.
func (f *fake) list(repo ref.Repository, d digest.Digest) {
	f.images = append(f.images, document.SourceImage{Name: repo.Name, URI: repo, Digest: d, Status: document.StatusActive})
}

func image(name string) string {
	return fmt.Sprintf(`{"schemaVersion":2,"config":{"mediaType":"%s","digest":"%s","size":3}}`, ocispec.MediaTypeImageConfig, digest.FromString(name))
}

func index(children ...digest.Digest) string {
	var list []string
	for _, c := range children {
		list = append(list, fmt.Sprintf(`{"mediaType":"%s","digest":"%s","size":200}`, ocispec.MediaTypeImageManifest, c))
	}
	return `{"schemaVersion":2,"manifests":[` + strings.Join(list, ",") + `]}`
}

func (f *fake) config() Config {
	return Config{Sources: []Source{f}, Fallback: f, Inventory: document.Inventory{Source: document.SourceInventory{Images: f.images}}}
}

func read(t *testing.T, c Config) (document.Content, []document.Failure) {
	t.Helper()
	got, failures, err := Read(t.Context(), c)
	if err != nil {
		t.Fatal(err)
	}
	return got, failures
}

func TestEachDigestIsReadOnceAHundredACall(t *testing.T) {
	f := newFake(virginia)
	a, b := virginia.Repository("a1"), virginia.Repository("b1")
	for n := range 250 {
		body := image(fmt.Sprint(n))
		d := f.serve(a, ocispec.MediaTypeImageManifest, body)
		f.serve(b, ocispec.MediaTypeImageManifest, body)
		f.list(a, d)
		f.list(b, d)
	}
	c := f.config()
	var last Progress
	c.Progress = func(p Progress) { last = p }
	got, failures := read(t, c)
	if len(got) != 250 || len(failures) != 0 || len(f.log) != 3 || len(f.single) != 0 || last != (Progress{250, 250}) {
		t.Errorf("%d entries, failures %v, calls %v, progress %v", len(got), failures, f.log, last)
	}
	c.Known = got
	f.log = nil
	if again, _ := read(t, c); len(f.log) != 0 || len(again) != 250 {
		t.Errorf("the second reading calls %v", f.log)
	}
}

func TestTheClosureIsRead(t *testing.T) {
	f := newFake(virginia)
	repo := virginia.Repository("app")
	amd := f.serve(repo, ocispec.MediaTypeImageManifest, image("amd64"))
	arm := f.serve(repo, ocispec.MediaTypeImageManifest, image("arm64"))
	inner := f.serve(repo, ocispec.MediaTypeImageIndex, index(amd, arm))
	outer := f.serve(repo, ocispec.MediaTypeImageIndex, index(inner, amd))
	f.list(repo, outer)
	c := f.config()
	got, failures := read(t, c)
	if len(got) != 4 || len(failures) != 0 || len(f.log) != 3 {
		t.Errorf("%d entries, failures %v, calls %v", len(got), failures, f.log)
	}
	want := document.ContentEntry{
		Digest: outer, MediaType: ocispec.MediaTypeImageIndex, Size: int64(len(index(inner, amd))),
		Children: []document.ContentItem{{Digest: inner, Size: 200}, {Digest: amd, Size: 200}},
	}
	if diff := cmp.Diff(want, got[outer]); diff != "" {
		t.Error(diff)
	}
	// What a broken run left unknown below what it knew is found.
	delete(got, arm)
	c.Known, f.log = got, nil
	if again, _ := read(t, c); len(again) != 4 || len(f.log) != 1 || len(got) != 3 {
		t.Errorf("%d entries of %d, calls %v", len(again), len(got), f.log)
	}
}

func TestOnlyActiveImagesInScopeAreRead(t *testing.T) {
	f := newFake(virginia)
	repo, other := virginia.Repository("app"), virginia.Repository("other")
	active := f.serve(repo, ocispec.MediaTypeImageManifest, image("1"))
	f.list(repo, active)
	f.list(repo, f.serve(repo, ocispec.MediaTypeImageManifest, image("2")))
	f.images[1].Status = document.StatusArchived
	f.list(other, f.serve(other, ocispec.MediaTypeImageManifest, image("3")))
	c := f.config()
	c.Scope, _ = ref.ParseScope([]string{"app"}, nil)
	got, _ := read(t, c)
	if _, ok := got[active]; !ok || len(got) != 1 {
		t.Errorf("%v", got)
	}
}

func TestWhatBulkReadingCannotGiveIsReadByDigest(t *testing.T) {
	f := newFake(virginia)
	repo := virginia.Repository("app")
	good := f.serve(repo, ocispec.MediaTypeImageManifest, image("good"))
	odd := f.serve(repo, ocispec.MediaTypeImageIndex, index(good))
	gone := digest.FromString("gone")
	damaged := f.serve(repo, ocispec.MediaTypeImageManifest, image("damaged"))
	f.served[repo][damaged] = registry.Manifest{Digest: damaged, MediaType: ocispec.MediaTypeImageManifest, Bytes: []byte("{}")}
	for _, d := range []digest.Digest{good, odd, gone, damaged} {
		f.list(repo, d)
	}
	f.errs[odd] = &registry.Error{Class: registry.Unsupported, Err: errors.New("no such media type")}
	got, failures := read(t, f.config())
	if len(got) != 2 || len(f.single) != 3 || len(f.log) != 1 {
		t.Errorf("%v, single %v, calls %v", got, f.single, f.log)
	}
	classes := map[digest.Digest]string{}
	for _, x := range failures {
		classes[x.Digest] = x.Class
		if x.Source != repo.String() || x.Error == "" {
			t.Errorf("%+v", x)
		}
	}
	if diff := cmp.Diff(map[digest.Digest]string{gone: "not-found", damaged: "corrupt"}, classes); diff != "" {
		t.Error(diff)
	}
}

func TestACallThatFailsAsAWholeIsMadeUpForOneByOne(t *testing.T) {
	f := newFake(virginia)
	repo := virginia.Repository("app")
	f.list(repo, f.serve(repo, ocispec.MediaTypeImageManifest, image("1")))
	f.calls[repo] = &registry.Error{Class: registry.Invalid, Err: errors.New("acceptedMediaTypes")}
	got, failures := read(t, f.config())
	if len(got) != 1 || len(failures) != 0 || len(f.single) != 1 {
		t.Errorf("%v, %v", got, failures)
	}
}

func TestADeniedRepositoryIsOneFailure(t *testing.T) {
	f := newFake(virginia)
	repo, other := virginia.Repository("app"), virginia.Repository("other")
	for n := range 300 {
		f.list(repo, f.serve(repo, ocispec.MediaTypeImageManifest, image(fmt.Sprint(n))))
	}
	shared := f.serve(other, ocispec.MediaTypeImageManifest, image("0"))
	f.list(other, shared)
	f.list(other, f.serve(other, ocispec.MediaTypeImageManifest, image("x")))
	f.calls[repo] = &registry.Error{Side: registry.Source, Op: "read manifests", Class: registry.Denied, Err: errors.New("no"), Hint: "allow ecr:BatchGetImage"}
	c := f.config()
	c.Concurrency = 1
	got, failures := read(t, c)
	if len(got) != 2 || len(f.single) != 0 {
		t.Errorf("%d entries, single %v", len(got), f.single)
	}
	want := []document.Failure{{Source: repo.String(), Class: "denied", Error: "source: read manifests: no", Hint: "allow ecr:BatchGetImage"}}
	if diff := cmp.Diff(want, failures); diff != "" {
		t.Error(diff)
	}
	calls := 0
	for _, call := range f.log {
		if strings.HasPrefix(call, "app ") {
			calls++
		}
	}
	if calls != 1 {
		t.Errorf("the denied repository is asked %d times", calls)
	}
}

func TestAnotherHolderIsAsked(t *testing.T) {
	f := newFake(virginia)
	g := newFake(ireland)
	a, b := virginia.Repository("app"), ireland.Repository("app")
	d := f.serve(a, ocispec.MediaTypeImageManifest, image("1"))
	f.list(a, d)
	f.list(b, d)
	c := f.config()
	c.Sources = append(c.Sources, g) // ireland comes first, and does not serve it
	got, failures := read(t, c)
	if len(got) != 1 || len(failures) != 0 || len(g.log) != 1 || len(f.log) != 1 {
		t.Errorf("%v, %v, %v, %v", got, failures, f.log, g.log)
	}
}

func TestAMissingChildIsAFailureThatNamesItsIndex(t *testing.T) {
	f := newFake(virginia)
	repo := virginia.Repository("app")
	missing := digest.FromString("missing")
	parent := f.serve(repo, ocispec.MediaTypeImageIndex, index(missing))
	f.list(repo, parent)
	_, failures := read(t, f.config())
	if len(failures) != 1 || failures[0].Digest != missing || !strings.Contains(failures[0].Error, parent.String()) || failures[0].Class != "not-found" {
		t.Errorf("%+v", failures)
	}
}

func TestAManifestThatIsNotUnderstoodIsAnEntry(t *testing.T) {
	f := newFake(virginia)
	repo := virginia.Repository("app")
	d := f.serve(repo, registry.MediaTypeDockerSigned1, `{"schemaVersion":1}`)
	f.list(repo, d)
	got, failures := read(t, f.config())
	if len(failures) != 0 || !strings.Contains(got[d].Problem, "schema 1") || got[d].MediaType != registry.MediaTypeDockerSigned1 {
		t.Errorf("%v, %v", got, failures)
	}
}

func TestDepthIsBounded(t *testing.T) {
	f := newFake(virginia)
	repo := virginia.Repository("app")
	d := f.serve(repo, ocispec.MediaTypeImageManifest, image("leaf"))
	for range MaxDepth + 2 {
		d = f.serve(repo, ocispec.MediaTypeImageIndex, index(d))
	}
	f.list(repo, d)
	got, failures := read(t, f.config())
	if len(got) != MaxDepth+1 || len(failures) != 1 || !strings.Contains(failures[0].Error, "nested deeper") {
		t.Errorf("%d entries, %v", len(got), failures)
	}
}

func TestWhatWasReadIsKeptWhenStopped(t *testing.T) {
	f := newFake(virginia)
	repo := virginia.Repository("app")
	for n := range 250 {
		f.list(repo, f.serve(repo, ocispec.MediaTypeImageManifest, image(fmt.Sprint(n))))
	}
	ctx, cancel := context.WithCancel(t.Context())
	calls := 0
	f.before = func([]digest.Digest) {
		if calls++; calls == 2 {
			cancel()
		}
	}
	c := f.config()
	c.Concurrency = 1
	got, failures, err := Read(ctx, c)
	if !errors.Is(err, context.Canceled) || len(got) != 100 || len(failures) != 0 {
		t.Errorf("%d entries, %v, %v", len(got), failures, err)
	}
}

func TestARegistryThatIsNoSource(t *testing.T) {
	f := newFake(virginia)
	f.list(ireland.Repository("app"), digest.FromString("x"))
	c := f.config()
	c.Fallback = nil
	got, failures := read(t, c)
	if len(got) != 0 || len(failures) != 1 || !strings.Contains(failures[0].Error, "not a source") {
		t.Errorf("%v, %v", got, failures)
	}
}

func TestBatchesAreBoundedInBytes(t *testing.T) {
	repo := virginia.Repository("app")
	var round []*wanted
	for n := range 10 {
		round = append(round, &wanted{digest: digest.FromString(fmt.Sprint(n)), size: 4 << 20, holders: []ref.Repository{repo}})
	}
	round = append(round, &wanted{digest: digest.FromString("huge"), size: 1 << 62, holders: []ref.Repository{repo}})
	n := 0
	for _, b := range batches(round) {
		n += len(b.wanted)
		if len(b.wanted) > 4 {
			t.Errorf("one call asks for %d manifests of 4 MiB", len(b.wanted))
		}
	}
	if n != 11 {
		t.Errorf("%d are asked for", n)
	}
}

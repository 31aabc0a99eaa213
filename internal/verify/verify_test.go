package verify

import (
	"context"
	"fmt"
	"log/slog"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/opencontainers/go-digest"
	"pgregory.net/rapid"

	"transship/internal/document"
	"transship/internal/ref"
	"transship/internal/registry"
)

var (
	source = ref.Registry{Account: "123456789012", Region: "us-east-1"}.Repository("team/api")
	repo   = ref.TargetRepository{Location: "us", Project: "my-gcp-project", ID: "app-images"}
	target = repo.Image("team/api")
	now    = time.Date(2026, 11, 23, 12, 0, 0, 0, time.UTC)
)

// fake is a target that may know more than its listing shows.
type fake struct {
	mu        sync.Mutex
	tags      map[string]digest.Digest
	manifests map[digest.Digest][]byte
	blobs     map[digest.Digest]bool
	heads     []string
	gets      int
	blobHeads int
	broken    error
}

func (f *fake) HeadManifest(_ context.Context, _ ref.TargetImage, reference string) (digest.Digest, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.heads = append(f.heads, reference)
	if f.broken != nil {
		return "", f.broken
	}
	if d, ok := f.tags[reference]; ok {
		return d, nil
	}
	if _, ok := f.manifests[digest.Digest(reference)]; ok {
		return digest.Digest(reference), nil
	}
	return "", &registry.Error{Side: registry.Target, Op: "head", Class: registry.NotFound}
}

func (f *fake) Manifest(_ context.Context, _ ref.TargetImage, d digest.Digest) (registry.Manifest, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.gets++
	b, ok := f.manifests[d]
	if !ok {
		return registry.Manifest{}, &registry.Error{Side: registry.Target, Op: "get", Class: registry.NotFound}
	}
	m := registry.Manifest{Digest: d, Bytes: b}
	if m.Check() != nil {
		return registry.Manifest{}, &registry.Error{Side: registry.Target, Op: "get", Class: registry.Corrupt}
	}
	m.MediaType = "application/vnd.oci.image.manifest.v1+json"
	if strings.Contains(string(b), `"manifests"`) {
		m.MediaType = "application/vnd.oci.image.index.v1+json"
	}
	return m, nil
}

func (f *fake) HeadBlob(_ context.Context, _ ref.TargetImage, b registry.Blob) error {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.blobHeads++
	if !f.blobs[b.Digest] {
		return &registry.Error{Side: registry.Target, Op: "head", Class: registry.NotFound}
	}
	return nil
}

func sum(s string) digest.Digest { return digest.FromString(s) }

// planned is a plan for team/api with the given references.
func planned(references ...document.PlannedReference) document.Plan {
	return document.Plan{Images: []document.PlannedImage{{Target: target, Sources: []ref.Repository{source}, References: references}}}
}

func reference(content string, tags ...string) document.PlannedReference {
	return document.PlannedReference{Digest: sum(content), Tags: tags}
}

// listed is an inventory whose target shows the given images.
func listed(images ...document.TargetImage) document.Inventory {
	inv := document.Inventory{}
	inv.Target.Repositories = []document.TargetRepository{{URI: repo}}
	for _, i := range images {
		i.URI = target
		inv.Target.Images = append(inv.Target.Images, i)
	}
	return inv
}

func shown(content string, tags ...string) document.TargetImage {
	return document.TargetImage{Digest: sum(content), Tags: tags}
}

func run(t interface {
	Helper()
	Fatal(...any)
}, c Config) document.Verification {
	t.Helper()
	c.Now, c.Logger = func() time.Time { return now }, slog.New(slog.DiscardHandler)
	v, err := Run(context.Background(), c)
	if err != nil {
		t.Fatal(err)
	}
	return v
}

// What the listing shows is asked for by nobody.
func TestListingProvesPresence(t *testing.T) {
	f := &fake{}
	v := run(t, Config{
		Plan:      planned(reference("a", "1", "2"), reference("b")),
		Inventory: listed(shown("a", "1", "2"), shown("b")), Target: f,
	})
	if !OK(v) || v.Verified != 3 || len(v.Cases) != 0 || len(f.heads) != 0 {
		t.Errorf("verified %d, cases %+v, asked %v", v.Verified, v.Cases, f.heads)
	}
	r := v.Repositories[0]
	if r.Source != source || r.Target != target || len(r.Tags) != 2 || len(r.Digests) != 2 || !r.VerifiedAt.Equal(now) {
		t.Errorf("repository: %+v", r)
	}
}

func TestCases(t *testing.T) {
	for name, c := range map[string]struct {
		plan  document.Plan
		inv   document.Inventory
		fake  *fake
		want  string // KIND TAG CAUSE…, one a line
		heads int
		ok    bool
	}{
		"a late listing": {
			plan: planned(reference("a", "1")), inv: listed(),
			fake: &fake{tags: map[string]digest.Digest{"1": sum("a")}}, heads: 1, ok: true,
		},
		"a deleted tag": {
			plan: planned(reference("a", "1", "2")), inv: listed(shown("a", "2")), heads: 1,
			want: "missing 1 its image is there",
		},
		"an image that is not there": {
			plan: planned(reference("a", "1"), reference("b")), inv: listed(), heads: 2,
			want: "missing  it was never copied\nmissing 1 it was never copied",
		},
		"a repository that is not there": {
			plan: planned(reference("a", "1")), inv: document.Inventory{}, heads: 0,
			want: "missing 1 the repository does not exist",
		},
		"a tag moved within the repository": {
			plan: planned(reference("a", "1"), reference("b", "2")), inv: listed(shown("a"), shown("b", "1", "2")),
			fake: &fake{tags: map[string]digest.Digest{"1": sum("b")}}, heads: 1,
			want: "mismatched 1 it points at another image of the source repository (tagged 2)",
		},
		"a tag that somebody else moved": {
			plan: planned(reference("a", "1")), inv: listed(shown("a"), shown("z", "1")),
			fake: &fake{tags: map[string]digest.Digest{"1": sum("z")}}, heads: 1,
			want: "mismatched 1 somebody pushed another image",
		},
		"extras": {
			plan: planned(reference("a", "1")), inv: listed(shown("a", "1", "old"), shown("x", "theirs"), shown("y")), ok: true,
			want: "extra  no source\nextra old no source\nextra theirs no source",
		},
	} {
		t.Run(name, func(t *testing.T) {
			if c.fake == nil {
				c.fake = new(fake)
			}
			v := run(t, Config{Plan: c.plan, Inventory: c.inv, Target: c.fake})
			var got []string
			for _, found := range v.Cases {
				got = append(got, fmt.Sprintf("%s %s %s", found.Kind, found.Tag, found.Cause))
			}
			want := strings.Split(c.want, "\n")
			if c.want == "" {
				want = nil
			}
			if len(got) != len(want) {
				t.Fatalf("cases:\n%s\nwant:\n%s", strings.Join(got, "\n"), c.want)
			}
			for i := range want {
				if !strings.HasPrefix(got[i], want[i]) {
					t.Errorf("case %q, want %q…", got[i], want[i])
				}
			}
			if len(c.fake.heads) != c.heads || OK(v) != c.ok {
				t.Errorf("asked %v, ok %v", c.fake.heads, OK(v))
			}
		})
	}
}

// What rules refuse is excluded; what could not be read is missing, since nobody decided it.
func TestRefusals(t *testing.T) {
	p := planned()
	p.Refused = []document.Refusal{
		{Source: source, Digest: sum("a"), Rule: document.RuleArchived, Reason: "archived"},
		{Source: source, Digest: sum("t"), Rule: document.RuleArchived, Reason: "archived"},
		{Source: source, Digest: sum("t"), Tag: "1", Rule: document.RuleArchived, Reason: "archived"},
		{Source: source, Rule: document.RuleOutOfScope, Reason: "left out"},
		{Source: source, Digest: sum("b"), Rule: document.RuleUnreadable, Reason: "not served"},
	}
	v := run(t, Config{Plan: p, Inventory: listed(), Target: &fake{}})
	if v.Excluded != 3 || v.Missing != 1 || OK(v) {
		t.Errorf("excluded %d, missing %d", v.Excluded, v.Missing)
	}
}

// What cannot be looked at is neither verified nor missing, and not right.
func TestFailures(t *testing.T) {
	f := &fake{broken: &registry.Error{Side: registry.Target, Op: "head", Class: registry.Denied, Hint: "ask"}}
	v := run(t, Config{Plan: planned(reference("a", "1")), Inventory: listed(), Target: f})
	if OK(v) || len(v.Failures) != 1 || v.Failures[0].Class != "denied" || v.Failures[0].Hint != "ask" || v.Missing+v.Verified != 0 {
		t.Errorf("%+v", v)
	}
	inv := listed()
	inv.Failures = []document.Failure{{Source: source.String(), Class: "denied", Error: "no"}}
	if v := run(t, Config{Plan: planned(), Inventory: inv, Target: f}); OK(v) || len(v.Failures) != 1 {
		t.Errorf("a source that could not be listed was called right: %+v", v)
	}
}

// A deep look costs a GET a manifest and a HEAD a blob, each once, and finds what is hollow.
func TestDeep(t *testing.T) {
	blob := func(s string) string { return fmt.Sprintf(`{"digest":"%s","size":%d}`, sum(s), len(s)) }
	one := fmt.Sprintf(`{"schemaVersion":2,"config":%s,"layers":[%s,%s]}`, blob("config1"), blob("base"), blob("base"))
	two := fmt.Sprintf(`{"schemaVersion":2,"config":%s,"layers":[%s]}`, blob("config2"), blob("base"))
	index := fmt.Sprintf(`{"schemaVersion":2,"manifests":[%s,%s]}`, blob(one), blob("nothing"))
	f := &fake{manifests: map[digest.Digest][]byte{}, blobs: map[digest.Digest]bool{sum("config1"): true, sum("base"): true}}
	for _, m := range []string{one, two, index} {
		f.manifests[sum(m)] = []byte(m)
	}
	f.manifests[sum("flipped")] = []byte("other bytes")
	v := run(t, Config{
		Plan:      planned(reference(one), reference(two), reference(index, "1"), reference("flipped"), reference("unserved")),
		Inventory: listed(shown(one), shown(two), shown(index, "1"), shown("flipped"), shown("unserved")), Target: f, Deep: true,
	})
	var kinds []string
	for _, c := range v.Cases {
		kinds = append(kinds, string(c.Kind)+" "+string(c.Blob))
	}
	slices.Sort(kinds)
	want := []string{"mismatched ", "missing ", "missing ", "missing " + string(sum("config2"))}
	slices.Sort(want)
	if !slices.Equal(kinds, want) || OK(v) || !v.Deep {
		t.Errorf("cases %+v", v.Cases)
	}
	if f.gets != 5 || f.blobHeads != 3 || v.Blobs != 3 {
		t.Errorf("%d GETs, %d HEADs of blobs, %d blobs", f.gets, f.blobHeads, v.Blobs)
	}
}

// Repositories outside of the present look keep their last verification.
func TestPrevious(t *testing.T) {
	other := source.Registry.Repository("team/web")
	old := document.Verification{Repositories: []document.VerifiedRepository{
		{Source: source, Target: target, VerifiedAt: now.Add(-time.Hour)},
		{Source: other, Target: repo.Image("team/web"), VerifiedAt: now.Add(-time.Hour)},
	}}
	v := run(t, Config{Plan: planned(reference("a", "1")), Inventory: listed(shown("a", "1")), Target: &fake{}, Previous: &old})
	if len(v.Repositories) != 2 || !v.Repositories[0].VerifiedAt.Equal(now) || !v.Repositories[1].VerifiedAt.Equal(now.Add(-time.Hour)) {
		t.Errorf("%+v", v.Repositories)
	}
}

// Whatever both sides hold, the counts are those of a naive comparison of what is really there.
func TestCountsAgreeWithANaiveComparison(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		contents := []string{"a", "b", "c", "d"}
		tags := rapid.MapOf(rapid.SampledFrom([]string{"1", "2", "3", "4", "5"}), rapid.SampledFrom(contents))
		want, have := tags.Draw(t, "source"), tags.Draw(t, "target")
		there := rapid.MapOf(rapid.SampledFrom(contents), rapid.Bool()).Draw(t, "there") // value: listed
		p := planned()
		for _, c := range contents {
			r := reference(c)
			for tag, at := range want {
				if at == c {
					r.Tags = append(r.Tags, tag)
				}
			}
			p.Images[0].References = append(p.Images[0].References, r)
		}
		f := &fake{tags: map[string]digest.Digest{}, manifests: map[digest.Digest][]byte{}}
		var images []document.TargetImage
		for _, c := range contents {
			lists, is := there[c]
			i := shown(c)
			for tag, at := range have {
				if at == c && is {
					f.tags[tag] = sum(c)
					i.Tags = append(i.Tags, tag)
				}
			}
			if is {
				f.manifests[sum(c)] = nil
			}
			if is && lists {
				images = append(images, i)
			}
		}
		var verified, missing, mismatched int
		for _, r := range p.Images[0].References {
			for _, tag := range r.Tags {
				switch at, ok := f.tags[tag]; {
				case !ok:
					missing++
				case at != r.Digest:
					mismatched++
				default:
					verified++
				}
			}
			if _, ok := f.manifests[r.Digest]; len(r.Tags) == 0 && ok {
				verified++
			} else if len(r.Tags) == 0 {
				missing++
			}
		}
		v := run(t, Config{Plan: p, Inventory: listed(images...), Target: f})
		if v.Verified != verified || v.Missing != missing || v.Mismatched != mismatched {
			t.Fatalf("verified %d, missing %d, mismatched %d; want %d, %d, %d", v.Verified, v.Missing, v.Mismatched, verified, missing, mismatched)
		}
	})
}

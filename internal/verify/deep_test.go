package verify

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/opencontainers/go-digest"

	"transship/internal/document"
	"transship/internal/ref"
	"transship/internal/registry"
)

func described(content string) string {
	return fmt.Sprintf(`{"digest":"%s","size":%d}`, sum(content), len(content))
}

// manifestOf is an image of blobs, of which the first one is its config.
func manifestOf(blobs ...string) string {
	var layers []string
	for _, b := range blobs[1:] {
		layers = append(layers, described(b))
	}
	return fmt.Sprintf(`{"schemaVersion":2,"config":%s,"layers":[%s]}`, described(blobs[0]), strings.Join(layers, ","))
}

func indexOf(children ...string) string {
	var all []string
	for _, c := range children {
		all = append(all, described(c))
	}
	return fmt.Sprintf(`{"schemaVersion":2,"manifests":[%s]}`, strings.Join(all, ","))
}

// serving is a target that serves manifests and has blobs.
func serving(manifests []string, blobs ...string) *fake {
	f := &fake{manifests: map[digest.Digest][]byte{}, blobs: map[digest.Digest]bool{}}
	for _, m := range manifests {
		f.manifests[sum(m)] = []byte(m)
	}
	for _, b := range blobs {
		f.blobs[sum(b)] = true
	}
	return f
}

// said are the cases of v, each as KIND TAG CAUSE, with content in place of digests.
func said(v document.Verification, contents map[string]string) []string {
	var out []string
	for _, c := range v.Cases {
		text := fmt.Sprintf("%s %s%s: %s", c.Kind, c.Tag, c.SourceDigest, c.Cause)
		if c.Blob != "" {
			text += " [" + c.Blob.String() + "]"
		}
		for name, content := range contents {
			text = strings.ReplaceAll(text, sum(content).String(), name)
		}
		text = strings.ReplaceAll(text, ": "+remake, "")
		out = append(out, strings.ReplaceAll(text, ": "+copyAgain, ""))
	}
	slices.Sort(out)
	return out
}

// A deep look costs a GET a manifest and a HEAD a blob, each once, and what needs something that is not there is not
// whole, tags and indexes included.
func TestDeep(t *testing.T) {
	one, two := manifestOf("config1", "base", "base"), manifestOf("config2", "base", "top", "base")
	whole, hollow, short := indexOf(one), indexOf(one, two), indexOf(one, "lost")
	manifests := []string{one, two, whole, hollow, short}
	f := serving(manifests, "config1", "base")
	f.manifests[sum("flipped")] = []byte("other bytes")
	p := planned(reference(one), reference(two), reference(whole, "1"), reference(hollow, "2", "3"), reference(short, "4"),
		reference("lost"), reference("flipped"), reference("unserved", "5"))
	v := run(t, Config{Deep: true, Plan: p, Target: f,
		Inventory: listed(shown(one), shown(two), shown(whole, "1"), shown(hollow, "2", "3"), shown(short, "4"), shown("flipped"), shown("unserved", "5")),
	})
	names := map[string]string{
		"TWO": two, "HOLLOW": hollow, "SHORT": short, "LOST": "lost", "FLIPPED": "flipped", "UNSERVED": "unserved", "CONFIG2": "config2", "TOP": "top",
	}
	want := []string{
		"mismatched FLIPPED: the target serves other bytes than the digest's: target: get",
		"missing 2HOLLOW: it needs TWO: the image is there, but 2 of its blobs are not: CONFIG2, TOP [CONFIG2]",
		"missing 3HOLLOW: it needs TWO: the image is there, but 2 of its blobs are not: CONFIG2, TOP [CONFIG2]",
		"missing 4SHORT: it needs LOST: it is not at the target",
		"missing 5UNSERVED: the target lists it, but does not serve it",
		"missing LOST: it was never copied, deleted at the target, or pushed to the source since the copy",
		"missing TWO: the image is there, but 2 of its blobs are not: CONFIG2, TOP [CONFIG2]",
	}
	if got := said(v, names); !slices.Equal(got, want) {
		t.Errorf("cases:\n%s\nwant:\n%s", strings.Join(got, "\n"), strings.Join(want, "\n"))
	}
	if r := v.Repositories[0]; v.Verified != 2 || len(r.Tags) != 1 || r.Tags[0].Tag != "1" || len(r.Digests) != 2 || !r.Deep || OK(v) {
		t.Errorf("verified %d: %+v", v.Verified, r)
	}
	if f.gets != 7 || f.blobHeads != 4 || v.Blobs != 4 || len(f.heads) != 1 {
		t.Errorf("%d GETs, %d HEADs of blobs, %d blobs, doubts %v", f.gets, f.blobHeads, v.Blobs, f.heads)
	}
}

// A child that no listing shows and that the plan does not know, or that has a tag which is lost, is read as well.
func TestDeepFollowsChildrenThatNobodyAskedFor(t *testing.T) {
	there, hollow := manifestOf("config1"), manifestOf("config2")
	index, tagged, unknown := indexOf(there), indexOf(there, hollow), indexOf(manifestOf("config3"))
	f := serving([]string{there, hollow, index, tagged, unknown}, "config1")
	v := run(t, Config{Deep: true, Target: f,
		Plan:      planned(reference(index, "1"), reference(tagged, "2"), reference(there, "lost"), reference(unknown, "3")),
		Inventory: listed(shown(index, "1"), shown(tagged, "2"), shown(unknown, "3")),
	})
	var tags []string
	for _, c := range v.Cases {
		tags = append(tags, c.Tag)
	}
	if !slices.Equal(tags, []string{"2", "3", "lost"}) || v.Verified != 1 || f.gets != 6 || len(f.heads) != 1 {
		t.Errorf("cases %+v, %d GETs, doubts %v", v.Cases, f.gets, f.heads)
	}
}

// sick is a target that fails to answer.
type sick struct {
	*fake
	manifest, blob error
}

func (s sick) Manifest(ctx context.Context, t ref.TargetImage, d digest.Digest) (registry.Manifest, error) {
	if s.manifest != nil {
		return registry.Manifest{}, s.manifest
	}
	return s.fake.Manifest(ctx, t, d)
}

func (s sick) HeadBlob(ctx context.Context, t ref.TargetImage, b registry.Blob) error {
	if s.blob != nil {
		return s.blob
	}
	return s.fake.HeadBlob(ctx, t, b)
}

// What a deep look cannot see is neither verified nor missing.
func TestDeepFailures(t *testing.T) {
	down := &registry.Error{Side: registry.Target, Op: "look", Class: registry.Unavailable, Hint: "wait"}
	one, two, odd := manifestOf("config1", "base"), manifestOf("config2", "base"), `{"schemaVersion":1}`
	f := serving([]string{one, two, odd}, "config1", "config2", "base")
	for name, test := range map[string]struct {
		target   sick
		failures int
	}{
		"manifests": {sick{fake: f, manifest: down}, 3},
		"blobs":     {sick{fake: f, blob: down}, 3 + 1}, // each blob once, and the manifest that is not understood
	} {
		v := run(t, Config{Deep: true, Target: test.target,
			Plan: planned(reference(one, "1"), reference(two), reference(odd)), Inventory: listed(shown(one, "1"), shown(two), shown(odd))})
		if OK(v) || len(v.Failures) != test.failures || v.Verified+v.Missing+v.Mismatched != 0 || len(v.Repositories[0].Digests) != 0 {
			t.Errorf("%s: %+v", name, v)
		}
	}
}

// Bytes that are not those of the digest are found whatever the client says.
func TestDeepTrustsNobody(t *testing.T) {
	one := manifestOf("config1")
	v := run(t, Config{Deep: true, Plan: planned(reference(one)), Inventory: listed(shown(one)), Target: lying{serving(nil, "config1")}})
	if v.Mismatched != 1 || v.Verified != 0 {
		t.Errorf("%+v", v)
	}
}

type lying struct{ *fake }

func (lying) Manifest(context.Context, ref.TargetImage, digest.Digest) (registry.Manifest, error) {
	b := []byte(manifestOf("other"))
	return registry.Manifest{Digest: digest.FromBytes(b), MediaType: "application/vnd.oci.image.manifest.v1+json", Bytes: b}, nil
}

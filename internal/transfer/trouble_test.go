package transfer

import (
	"context"
	"io"
	"net/http"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/opencontainers/go-digest"

	"transship/internal/cloudsim"
	"transship/internal/cloudsim/corpus"
	"transship/internal/cloudstest"
	"transship/internal/document"
	"transship/internal/document/journal"
	"transship/internal/ref"
	"transship/internal/registry"
)

// place returns the planned image of one source repository.
func placeOf(t testing.TB, plan document.Plan, name string) document.PlannedImage {
	t.Helper()
	for _, image := range plan.Images {
		if image.Sources[0].Name == name {
			return image
		}
	}
	t.Fatalf("%s is not planned", name)
	return document.PlannedImage{}
}

// tagged returns the name of the repository and the tag of some plain image, and one of its own blobs.
func flat(t testing.TB, repositories, tags int) (*cloudstest.World, *corpus.Corpus, document.Plan) {
	t.Helper()
	spec := corpus.Flat(repositories, tags)
	w := cloudstest.New(t, cloudsim.Options{}, spec)
	c := corpus.Generate(spec)
	return w, c, planOf(t, c)
}

// A blob that the source lost fails the images that need it, by name, and nothing else.
func TestOneFailureIsNotAnothers(t *testing.T) {
	w, c, plan := flat(t, 2, 5)
	first := c.Repositories[0].Images[0]
	content, err := registry.ParseManifest(registry.Manifest{Digest: first.Digest, MediaType: first.MediaType, Bytes: first.Manifest})
	if err != nil {
		t.Fatal(err)
	}
	own := content.Blobs[0].Digest // the config: no other image has it
	w.ECR.Repository(c.Repositories[0].Name).Content.DeleteBlob(own)

	r := run(t, w, plan, nil)
	if r.Failed != 1 || r.Success != references(plan)-1 || len(r.Failures) != 1 {
		t.Fatalf("failed %d, success %d: %+v", r.Failed, r.Success, r.Failures)
	}
	f := r.Failures[0]
	if f.Digest != first.Digest || f.Tag != first.Tags[0] || !strings.HasSuffix(f.Source, ":"+first.Tags[0]) || f.Error == "" {
		t.Errorf("the failure does not name its image: %+v", f)
	}

	w.ECR.Repository(c.Repositories[0].Name).Content.PutBlob(own, blobOf(c, own))
	again := run(t, w, plan, nil)
	if again.Failed != 0 || again.Success != 1 {
		t.Errorf("mended: failed %d, success %d", again.Failed, again.Success)
	}
	checkArrived(t, w, c)
}

func blobOf(c *corpus.Corpus, d digest.Digest) interface {
	io.ReaderAt
	Size() int64
} {
	return strings.NewReader(string(c.Blobs[d]))
}

// A byte that is wrong at the source never arrives, and is told.
func TestCorruptBlob(t *testing.T) {
	w, c, plan := flat(t, 1, 2)
	d := c.Repositories[0].Blobs[0]
	bad := []byte(string(c.Blobs[d]))
	bad[len(bad)/2] ^= 1
	w.ECR.Repository(c.Repositories[0].Name).Content.PutBlob(d, strings.NewReader(string(bad)))
	r := run(t, w, plan, nil)
	if r.Failed == 0 || r.Failures[0].Class != string(registry.Corrupt) {
		t.Errorf("failures: %+v", r.Failures)
	}
	if at := w.AR.Image(placeOf(t, plan, c.Repositories[0].Name).Target.String()); at != nil {
		if _, there := at.Blob(d); there {
			t.Error("the corrupt blob arrived")
		}
	}
}

// What the source deleted since the plan is gone, not failed.
func TestGone(t *testing.T) {
	w, c, plan := flat(t, 1, 3)
	gone := c.Repositories[0].Images[0]
	w.ECR.Repository(c.Repositories[0].Name).Content.DeleteManifest(gone.Digest)
	r := run(t, w, plan, nil)
	if r.Failed != 0 || len(r.Gone) != 1 || r.Gone[0].Digest != gone.Digest || r.Gone[0].Tag != gone.Tags[0] {
		t.Errorf("failures %+v, gone %+v", r.Failures, r.Gone)
	}
}

// A tag at the target is moved when it points at what the source repository holds or at what we wrote; otherwise
// somebody else moved it.
func TestWhichTagWins(t *testing.T) {
	w, c, plan := flat(t, 1, 3)
	run(t, w, plan, nil)
	images := c.Repositories[0].Images
	target := placeOf(t, plan, c.Repositories[0].Name).Target
	at := w.AR.Image(target.String())
	foreign := registry.Manifest{MediaType: images[0].MediaType, Bytes: append(slices.Clone(images[0].Manifest), '\n')}
	foreign.Digest = digest.FromBytes(foreign.Bytes)
	if err := w.Target.PutManifest(t.Context(), target, "theirs", foreign); err != nil {
		t.Fatal(err)
	}
	at.Tag(images[0].Tags[0], images[1].Digest) // within the repository
	at.Tag(images[2].Tags[0], foreign.Digest)   // somebody else's

	r := run(t, w, plan, nil)
	if d, _ := at.TagDigest(images[0].Tags[0]); d != images[0].Digest {
		t.Error("a tag that pointed at another image of the repository was not moved back")
	}
	if d, _ := at.TagDigest(images[2].Tags[0]); d != foreign.Digest || len(r.Kept) != 1 || r.Kept[0].Digest != foreign.Digest {
		t.Errorf("somebody else's tag was moved, or not told: %+v", r.Kept)
	}

	path := filepath.Join(t.TempDir(), "journal.jsonl")
	j, err := journal.Open(path, cloudstest.Clock)
	if err != nil {
		t.Fatal(err)
	}
	j.Append(journal.Event{Kind: journal.Tag, Target: target.String(), Tag: images[2].Tags[0], Digest: foreign.Digest})
	if err := j.Close(); err != nil {
		t.Fatal(err)
	}
	hints, err := ReadHints(path)
	if err != nil {
		t.Fatal(err)
	}
	run(t, w, plan, func(c *Config) { c.Hints = hints })
	if d, _ := at.TagDigest(images[2].Tags[0]); d != images[2].Digest {
		t.Error("a tag that the journal says we wrote was not moved")
	}
	at.Tag(images[2].Tags[0], foreign.Digest)
	run(t, w, plan, func(c *Config) { c.Overwrite = true })
	if d, _ := at.TagDigest(images[2].Tags[0]); d != images[2].Digest {
		t.Error("overwrite did not move the tag")
	}
}

// What an earlier run uploaded before it was broken off is not read again.
func TestHintsSaveReading(t *testing.T) {
	w, c, plan := flat(t, 2, 4)
	path := filepath.Join(t.TempDir(), "journal.jsonl")
	j, err := journal.Open(path, cloudstest.Clock)
	if err != nil {
		t.Fatal(err)
	}
	w.Sim.Faults.Set(cloudsim.Fault{Kind: "ar.v2.manifest.put", Action: cloudsim.Status(http.StatusForbidden)})
	run(t, w, plan, func(c *Config) { c.Journal = j })
	if err := j.Close(); err != nil {
		t.Fatal(err)
	}
	w.Sim.Faults.Clear()
	hints, err := ReadHints(path)
	if err != nil {
		t.Fatal(err)
	}
	before := w.Sim.Counts()
	if r := run(t, w, plan, func(c *Config) { c.Hints = hints }); r.Failed != 0 {
		t.Fatal(r.Failures)
	}
	if n := w.Sim.Counts().Sub(before).Of("s3.get"); n != 0 {
		t.Errorf("%d blobs were read again", n)
	}
	checkArrived(t, w, c)
}

// order records in which order references are written, and can fail some.
type order struct {
	Target
	mu      sync.Mutex
	written []string
	refuse  func(reference string) error
}

func (o *order) PutManifest(ctx context.Context, t ref.TargetImage, reference string, m registry.Manifest) error {
	if o.refuse != nil {
		if err := o.refuse(reference); err != nil {
			return err
		}
	}
	err := o.Target.PutManifest(ctx, t, reference, m)
	o.mu.Lock()
	defer o.mu.Unlock()
	o.written = append(o.written, t.Path+" "+reference, t.Path+" "+m.Digest.String())
	return err
}

// A tag appears when everything that belongs to its image is there: children, referrers, sha256-* tags.
func TestTagsComeLast(t *testing.T) {
	spec := corpus.Demo()
	w := cloudstest.New(t, cloudsim.Options{}, spec)
	c := corpus.Generate(spec)
	plan := planOf(t, c)
	seen := &order{Target: w.Target}
	if r := run(t, w, plan, func(c *Config) { c.Target = seen }); r.Failed != 0 {
		t.Fatal(r.Failures)
	}
	at := func(path, reference string) int { return slices.Index(seen.written, path+" "+reference) }
	checked := 0
	for _, r := range c.Repositories {
		tags := map[digest.Digest][]string{}
		for _, i := range r.Images {
			tags[i.Digest] = i.Tags
		}
		for _, i := range r.Images {
			if i.Archived {
				continue
			}
			subjects := []digest.Digest{}
			if i.Subject != "" {
				subjects = append(subjects, i.Subject)
			}
			for _, tag := range i.Tags {
				if d, ok := registry.SubjectOfTag(tag); ok {
					subjects = append(subjects, d)
				}
			}
			for _, subject := range subjects {
				for _, tag := range tags[subject] {
					checked++
					if at(r.Name, tag) < at(r.Name, i.Digest.String()) {
						t.Errorf("%s:%s appeared before %s, which describes it", r.Name, tag, i.Digest)
					}
				}
			}
		}
	}
	if checked == 0 {
		t.Error("the corpus has nothing to check")
	}
}

// Tags that name each other in a circle do not stop the run.
func TestCircleOfTags(t *testing.T) {
	w, c, plan := flat(t, 1, 2)
	images := plan.Images[0].References
	images[0].Tags = []string{"sha256-" + images[1].Digest.Encoded() + ".sig"}
	images[1].Tags = []string{"sha256-" + images[0].Digest.Encoded() + ".sig"}
	_ = c
	if r := run(t, w, plan, nil); r.Failed != 0 || r.Success != 2 {
		t.Errorf("success %d, failures %+v", r.Success, r.Failures)
	}
}

// A tag waits for what describes its image: where that fails, so does the tag, with the reason.
func TestTagWaitsForItsSignature(t *testing.T) {
	w, _, plan := flat(t, 1, 2)
	images := plan.Images[0].References
	sig := "sha256-" + images[0].Digest.Encoded() + ".sig"
	images[1].Tags = []string{sig}
	refuse := &order{Target: w.Target, refuse: func(reference string) error {
		if reference == sig {
			return &registry.Error{Side: registry.Target, Op: "write", Class: registry.Denied}
		}
		return nil
	}}
	r := run(t, w, plan, func(c *Config) { c.Target = refuse })
	if r.Failed != 2 || slices.IndexFunc(r.Failures, func(f document.Failure) bool {
		return f.Tag == images[0].Tags[0] && f.Class == string(registry.Incomplete)
	}) < 0 {
		t.Errorf("failures: %+v", r.Failures)
	}
}

// A signature that the source deleted since the plan holds nothing up; an index that lost a child is a failure.
func TestWhatBelongsToAnImageIsGone(t *testing.T) {
	w, c, plan := flat(t, 1, 3)
	images := plan.Images[0].References
	images[1].Tags = []string{"sha256-" + images[0].Digest.Encoded() + ".sig"}
	content := w.ECR.Repository(c.Repositories[0].Name).Content
	content.DeleteManifest(images[1].Digest)
	r := run(t, w, plan, nil)
	if r.Failed != 0 || len(r.Gone) != 1 || r.Gone[0].Digest != images[1].Digest || r.Success != 2 {
		t.Errorf("success %d, failures %+v, gone %+v", r.Success, r.Failures, r.Gone)
	}

	w, c, plan = flat(t, 1, 2)
	images = plan.Images[0].References
	for i := range plan.Manifests {
		if plan.Manifests[i].Digest == images[0].Digest {
			plan.Manifests[i].Children = []digest.Digest{images[1].Digest}
		}
	}
	w.ECR.Repository(c.Repositories[0].Name).Content.DeleteManifest(images[1].Digest)
	r = run(t, w, plan, nil)
	if r.Failed != 1 || r.Failures[0].Digest != images[0].Digest || r.Failures[0].Class != string(registry.Incomplete) || len(r.Gone) != 1 {
		t.Errorf("failures %+v, gone %+v", r.Failures, r.Gone)
	}
}

// A stop is no failure.
func TestStop(t *testing.T) {
	w, _, plan := flat(t, 1, 50)
	ctx, cancel := context.WithCancel(t.Context())
	stopping := &order{Target: w.Target, refuse: func(string) error { cancel(); return ctx.Err() }}
	c := Config{
		Plan: plan, Listing: listing(t, w), Source: func(ref.Registry) Source { return w.Source }, Target: stopping,
		Now: cloudstest.Clock, Logger: w.Options().Logger, Units: 4,
	}
	if r := Run(ctx, c); !r.Stopped || r.Failed != 0 {
		t.Errorf("stopped %v, failures %+v", r.Stopped, r.Failures)
	}
}

// Nor is it one for what lacks something because of it: an index whose children were on their way.
func TestAStopIsNoFailureOfAnIndex(t *testing.T) {
	spec := corpus.Demo()
	w := cloudstest.New(t, cloudsim.Options{}, spec)
	plan := planOf(t, corpus.Generate(spec))
	ctx, cancel := context.WithCancel(t.Context())
	stopping := &order{Target: w.Target, refuse: func(string) error { cancel(); return nil }}
	c := Config{
		Plan: plan, Listing: listing(t, w), Source: func(ref.Registry) Source { return w.Source }, Target: stopping,
		Now: cloudstest.Clock, Logger: w.Options().Logger,
	}
	if r := Run(ctx, c); !r.Stopped || r.Failed != 0 {
		t.Errorf("stopped %v, %d failures: %.1v", r.Stopped, r.Failed, r.Failures)
	}
}

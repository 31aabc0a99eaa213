package stage

import (
	"encoding/json"
	"testing"

	"github.com/opencontainers/go-digest"
	ocispec "github.com/opencontainers/image-spec/specs-go/v1"

	"transship/internal/cloudsim"
	"transship/internal/cloudsim/corpus"
	"transship/internal/cloudsim/store"
	"transship/internal/cloudstest"
	"transship/internal/underrace"
)

// What a second run over 10,000 tags in 100 repositories asks: one request a 100 images and two a repository, no more,
// and where one tag has moved since, that and what the tag itself needs.
func TestRequestsOfASecondRun(t *testing.T) {
	const repositories = 100
	each := 100
	if underrace.On { // which makes the listings ten times slower, and no other
		each = 20
	}
	most := repositories*each/100 + 2*repositories
	w := cloudstest.New(t, cloudsim.Options{}, corpus.Flat(repositories, each))
	at := cloudstest.Default()
	if err := w.AR.Load(at.Repository.Location, at.Repository.Project, at.Repository.ID, at.Path, corpus.Generate(corpus.Flat(repositories, each))); err != nil {
		t.Fatal(err)
	}
	p := pipeline(t, w)
	run := func() cloudsim.Counts {
		t.Helper()
		before := w.Sim.Counts()
		if _, err := p.Inventory(t.Context(), Hooks{}); err != nil {
			t.Fatal(err)
		}
		if _, err := p.Plan(t.Context(), Hooks{}); err != nil {
			t.Fatal(err)
		}
		if _, err := p.Copy(t.Context(), CopyOptions{}, Hooks{}); err != nil {
			t.Fatal(err)
		}
		return w.Sim.Counts().Sub(before)
	}
	first := run()
	if n := first.Of("ecr.BatchGetImage"); n != repositories || first.Of("ar.v2") != 0 {
		t.Errorf("a first run read manifests in %d requests, want %d, and had nothing to copy:\n%s", n, repositories, first)
	}
	second := run()
	t.Logf("a second run: %d requests\n%s", second.Total(), second)
	if second.Total() > most || second.Of("ecr.BatchGetImage", "ecr.v2", "s3", "ar.v2") != 0 {
		t.Errorf("a second run took %d requests, more than %d, or more than listings:\n%s", second.Total(), most, second)
	}

	// Somebody pushes a new image under a tag that was there, on layers that were there: only its config is new.
	moved := newImage(t, w, "flat/app-0042", "v7")
	third := run()
	t.Logf("one tag moved: %d requests\n%s", third.Total(), third.Sub(second))
	if got, _ := w.AR.Image(at.Join("flat/app-0042").String()).TagDigest("v7"); got != moved {
		t.Errorf("the tag is at %s, want %s", got, moved)
	}
	// The plan reads the new manifest and so does the copy, which may run elsewhere and later; the config is asked for at
	// ECR and read from S3, uploaded in two requests, and the manifest is put once, by its tag. The token for ECR's data
	// plane is the one more.
	needs := map[string]int{"ecr.BatchGetImage": 2, "ecr.v2.blob": 1, "s3": 1, "ecr.GetAuthorizationToken": 1, "ar.v2.upload": 2, "ar.v2.manifest.put": 1}
	sum := 0
	for kind, n := range needs {
		sum += n
		if got := third.Of(kind); got != n {
			t.Errorf("%d requests %s, want %d", got, kind, n)
		}
	}
	if third.Total() != second.Total()+sum {
		t.Errorf("one moved tag took %d requests more than none, want %d:\n%s", third.Total()-second.Total(), sum, third.Sub(second))
	}
}

// newImage pushes an image to ECR that differs from the one under tag in its config alone, and moves the tag to it.
func newImage(t *testing.T, w *cloudstest.World, repository, tag string) digest.Digest {
	t.Helper()
	content := w.ECR.Repository(repository).Content
	old, ok := content.Resolve(tag)
	if !ok {
		t.Fatalf("%s:%s is not there", repository, tag)
	}
	var m ocispec.Manifest
	if err := json.Unmarshal(old.Bytes, &m); err != nil {
		t.Fatal(err)
	}
	config := []byte(`{"architecture":"amd64","os":"linux","created":"2026-11-23T12:00:00Z"}`)
	m.Config.Digest, m.Config.Size = digest.FromBytes(config), int64(len(config))
	b, err := json.Marshal(m)
	if err != nil {
		t.Fatal(err)
	}
	d := digest.FromBytes(b)
	content.PutBlob(m.Config.Digest, store.BytesBlob(config))
	content.PutManifest(store.Manifest{Digest: d, MediaType: old.MediaType, Bytes: b, PushedAt: old.PushedAt})
	content.Tag(tag, d)
	return d
}

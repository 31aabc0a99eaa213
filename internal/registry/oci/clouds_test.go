package oci

import (
	"bytes"
	"encoding/json"
	"io"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/opencontainers/go-digest"
	ocispec "github.com/opencontainers/image-spec/specs-go/v1"

	"transship/internal/cloudsim"
	"transship/internal/cloudsim/arsim"
	"transship/internal/cloudsim/ecrsim"
	"transship/internal/cloudsim/store"
	"transship/internal/registry"
)

// image makes an image manifest of these blobs, the first of which is the config.
func image(subject *ocispec.Descriptor, blobs ...[]byte) registry.Manifest {
	m := ocispec.Manifest{MediaType: ocispec.MediaTypeImageManifest, Subject: subject}
	m.SchemaVersion = 2
	for i, b := range blobs {
		d := ocispec.Descriptor{MediaType: ocispec.MediaTypeImageLayerGzip, Digest: digest.FromBytes(b), Size: int64(len(b))}
		if i == 0 {
			d.MediaType = ocispec.MediaTypeImageConfig
			m.Config = d
		} else {
			m.Layers = append(m.Layers, d)
		}
	}
	body, _ := json.Marshal(m)
	return registry.Manifest{Digest: digest.FromBytes(body), MediaType: m.MediaType, Bytes: body}
}

// inECR puts blobs and a manifest into an ECR repository.
func (w *world) inECR(name string, m registry.Manifest, tag string, blobs ...[]byte) *ecrsim.Repository {
	repo := w.ecr.Repository(name)
	if repo == nil {
		repo = w.ecr.CreateRepository(name, ecrsim.RepositorySettings{})
	}
	for _, b := range blobs {
		repo.Content.PutBlob(digest.FromBytes(b), store.BytesBlob(b))
	}
	if m.Bytes != nil {
		repo.Content.PutManifest(store.Manifest{Digest: m.Digest, MediaType: m.MediaType, Bytes: m.Bytes, PushedAt: time.Now()})
		repo.Content.Tag(tag, m.Digest)
	}
	return repo
}

func TestReadFromECR(t *testing.T) {
	bubble(t, cloudsim.Options{}, func(t *testing.T, w *world) {
		config, layer := []byte(`{"os":"linux"}`), noise(3<<20)
		m := image(nil, config, layer)
		w.inECR("team/api", m, "v1", config, layer)
		c := w.source()
		for _, reference := range []string{"v1", m.Digest.String()} {
			w.requests(map[string]int{"ecr.v2.manifest.get": 1}, func() {
				got, err := c.Manifest(t.Context(), "team/api", reference)
				must(t, err)
				if diff := cmp.Diff(m, got); diff != "" {
					t.Errorf("%s: %s", reference, diff)
				}
			})
			w.requests(map[string]int{"ecr.v2.manifest.head": 1}, func() {
				if d, err := c.HeadManifest(t.Context(), "team/api", reference); err != nil || d != m.Digest {
					t.Errorf("head %s: %s, %v", reference, d, err)
				}
			})
		}
		w.requests(map[string]int{"ecr.v2.blob.head": 1}, func() {
			must(t, c.HeadBlob(t.Context(), "team/api", blobOf(layer)))
		})
		w.requests(map[string]int{"ecr.v2.blob.get": 1, "s3.get": 1}, func() {
			r, err := c.OpenBlob(t.Context(), "team/api", blobOf(layer))
			must(t, err)
			got, err := io.ReadAll(r)
			must(t, err)
			must(t, r.Close())
			if !bytes.Equal(got, layer) {
				t.Error("the blob's bytes differ")
			}
		})
		if s := c.Governor().Stats(); s.InFlight != 0 || s.Requests != 6 {
			t.Errorf("afterwards: %+v", s)
		}
		if n := w.sim.Dials(ecrHost); n != 1 {
			t.Errorf("%d connections for requests one after the other", n)
		}
	})
}

func TestWhatIsNotInECR(t *testing.T) {
	bubble(t, cloudsim.Options{}, func(t *testing.T, w *world) {
		w.inECR("app", registry.Manifest{}, "")
		c, gone := w.source(), blobOf([]byte("gone"))
		ctx := t.Context()
		_, err := c.Manifest(ctx, "app", "v1")
		wantClass(t, err, registry.NotFound, "source: read manifest "+ecrHost+"/app:v1: 404 Not Found: MANIFEST_UNKNOWN")
		_, err = c.HeadManifest(ctx, "app", gone.Digest.String())
		wantClass(t, err, registry.NotFound, "look up manifest", "app@sha256:")
		wantClass(t, c.HeadBlob(ctx, "app", gone), registry.NotFound)
		_, err = c.OpenBlob(ctx, "app", gone)
		wantClass(t, err, registry.NotFound, "BLOB_UNKNOWN")
		_, err = c.Manifest(ctx, "nope", "v1")
		wantClass(t, err, registry.NoRepository, "The repository with name 'nope' does not exist", "(create it)")
		_, err = c.Manifest(ctx, "app", "sha256:123")
		wantClass(t, err, registry.Invalid, "not a digest")
		if n := w.sim.Counts().Of("ecr.v2"); n != 5 {
			t.Errorf("%d requests, want 5: nothing is tried twice", n)
		}
	})
}

func TestPushToAR(t *testing.T) {
	for name, single := range map[string]arsim.SinglePost{
		"ignored": arsim.SinglePostIgnored, "accepted": arsim.SinglePostAccepted, "refused": arsim.SinglePostRefused,
	} {
		for _, absolute := range []bool{false, true} {
			t.Run(name, func(t *testing.T) {
				opts := arsim.Options{SinglePost: single, AbsoluteLocations: absolute}
				bubble(t, cloudsim.Options{AR: opts}, func(_ *testing.T, w *world) { pushToAR(w, single) })
			})
		}
	}
}

func pushToAR(w *world, single arsim.SinglePost) {
	t, ctx, c, to := w.TB, w.Context(), w.target(), arRepo+"/team/api"
	config, second, layer, empty := []byte("{}"), []byte("[]"), noise(3<<20), []byte{}
	push := func(b []byte) func() {
		return func() {
			opened := 0
			must(t, c.PushBlob(ctx, to, blobOf(b), Upload{}, opener(b, &opened)))
			if opened != 1 {
				t.Errorf("the opener was called %d times", opened)
			}
		}
	}
	first, later := map[string]int{}, map[string]int{}
	switch single {
	case arsim.SinglePostIgnored:
		first = map[string]int{"ar.v2.upload.post": 1, "ar.v2.upload.put": 1}
		later = first
	case arsim.SinglePostAccepted:
		first = map[string]int{"ar.v2.upload.post": 1}
		later = first
	case arsim.SinglePostRefused:
		first = map[string]int{"ar.v2.upload.post": 2, "ar.v2.upload.put": 1}
		later = map[string]int{"ar.v2.upload.post": 1, "ar.v2.upload.put": 1}
	}
	w.requests(first, push(config))
	w.requests(later, push(second))
	w.requests(later, push(empty))
	w.requests(map[string]int{"ar.v2.upload.post": 1, "ar.v2.upload.put": 1}, push(layer))

	m := image(nil, config, layer, empty)
	for _, reference := range []string{m.Digest.String(), "v1"} {
		w.requests(map[string]int{"ar.v2.manifest.put": 1}, func() { must(t, c.PutManifest(ctx, to, reference, m)) })
	}
	w.requests(map[string]int{"ar.v2.manifest.get": 1}, func() {
		got, err := c.Manifest(ctx, to, "v1")
		must(t, err)
		if diff := cmp.Diff(m, got); diff != "" {
			t.Error(diff)
		}
	})
	w.requests(map[string]int{"ar.v2.blob.get": 1, "ar.v2.blob.download": 1}, func() {
		r, err := c.OpenBlob(ctx, to, blobOf(layer)) // the redirect stays on the host, and needs the credential
		must(t, err)
		got, err := io.ReadAll(r)
		must(t, err)
		must(t, r.Close())
		if !bytes.Equal(got, layer) {
			t.Error("the blob's bytes differ")
		}
	})
	if s := c.Governor().Stats(); s.InFlight != 0 {
		t.Errorf("afterwards: %+v", s)
	}
}

func TestMount(t *testing.T) {
	from, to := arRepo+"/base", arRepo+"/team/api"
	layer := noise(200 << 10)
	for _, c := range []struct {
		name    string
		opts    arsim.Options
		from    string
		mounted bool
		going   bool // an upload was begun instead
	}{
		{"mounted", arsim.Options{}, from, true, false},
		{"never", arsim.Options{Mount: arsim.MountNever}, from, false, true},
		{"not there", arsim.Options{}, arRepo + "/nothing", false, true},
		{"may not be read", arsim.Options{MountDeniedStatus: 403, Deny: func(p, _ string) bool { return p == "other-project" }},
			"other-project/x/base", false, false},
		{"seems not to be there", arsim.Options{MountDeniedStatus: 404, Deny: func(p, _ string) bool { return p == "other-project" }},
			"other-project/x/base", false, false},
	} {
		t.Run(c.name, func(t *testing.T) {
			bubble(t, cloudsim.Options{AR: c.opts}, func(t *testing.T, w *world) {
				client, opened := w.target(), 0
				must(t, client.PushBlob(t.Context(), from, blobOf(layer), Upload{}, opener(layer, &opened)))
				var u Upload
				w.requests(map[string]int{"ar.v2.mount": 1}, func() {
					var mounted bool
					var err error
					u, mounted, err = client.MountBlob(t.Context(), to, blobOf(layer), c.from)
					must(t, err)
					if mounted != c.mounted || u.IsZero() == c.going {
						t.Errorf("mounted %v, upload %v", mounted, u)
					}
				})
				if c.mounted {
					must(t, client.HeadBlob(t.Context(), to, blobOf(layer)))
					return
				}
				want := map[string]int{"ar.v2.upload.put": 1}
				if !c.going {
					want["ar.v2.upload.post"] = 1
				}
				w.requests(want, func() {
					must(t, client.PushBlob(t.Context(), to, blobOf(layer), u, opener(layer, &opened)))
				})
			})
		})
	}
}

func TestARRefusals(t *testing.T) {
	denied := func(p, _ string) bool { return p == "secret-project" }
	bubble(t, cloudsim.Options{AR: arsim.Options{Deny: denied}}, func(t *testing.T, w *world) {
		ctx, c, blob, opened := t.Context(), w.target(), noise(100<<10), 0
		open := opener(blob, &opened)
		must(t, w.ar.CreateRepository("us", "my-project", "frozen", arsim.Repository{
			Format: "DOCKER", DockerConfig: &arsim.DockerConfig{ImmutableTags: true}}))

		wantClass(t, c.PushBlob(ctx, "my-project/none/app", blobOf(blob), Upload{}, open), registry.NoRepository,
			"target: write blob us-docker.pkg.dev/my-project/none/app@sha256:", `NAME_UNKNOWN: Repository "none" not found`, "create it")
		wantClass(t, c.PushBlob(ctx, "secret-project/app-images/app", blobOf(blob), Upload{}, open), registry.Denied,
			"artifactregistry.repositories.uploadArtifacts", "(or it may not exist)", "grant the permission")
		if opened != 0 {
			t.Errorf("the blob was opened %d times for uploads that cannot begin", opened)
		}
		m, other := image(nil, blob), image(nil, blob, blob)
		frozen := "my-project/frozen/app"
		wantClass(t, c.PutManifest(ctx, frozen, "v1", m), registry.Incomplete, "MANIFEST_BLOB_UNKNOWN")
		must(t, c.PushBlob(ctx, frozen, blobOf(blob), Upload{}, open))
		must(t, c.PutManifest(ctx, frozen, "v1", m))
		must(t, c.PutManifest(ctx, frozen, "v1", m))
		wantClass(t, c.PutManifest(ctx, frozen, "v1", other), registry.Immutable, "tag immutability")
		wantClass(t, c.PutManifest(ctx, frozen, "v1", registry.Manifest{Digest: m.Digest, Bytes: []byte("{}")}), registry.Corrupt)
		wantClass(t, c.PutManifest(ctx, frozen, other.Digest.String(), m), registry.Invalid)
	})
}

// An answer that got lost is no reason to fail: the tag is where it should be.
func TestImmutableTagThatIsOursAlready(t *testing.T) {
	bubble(t, cloudsim.Options{AR: arsim.Options{ImmutableRefusesSame: true}}, func(t *testing.T, w *world) {
		ctx, c, blob, opened := t.Context(), w.target(), noise(10), 0
		must(t, w.ar.CreateRepository("us", "my-project", "frozen", arsim.Repository{
			Format: "DOCKER", DockerConfig: &arsim.DockerConfig{ImmutableTags: true}}))
		m, name := image(nil, blob), "my-project/frozen/app"
		must(t, c.PushBlob(ctx, name, blobOf(blob), Upload{}, opener(blob, &opened)))
		w.sim.Faults.Set(cloudsim.Fault{Kind: "ar.v2.manifest.put", Nth: 1, Action: cloudsim.ResetAfterWork()})
		w.requests(map[string]int{"ar.v2.manifest.put": 2, "ar.v2.manifest.head": 1}, func() {
			must(t, c.PutManifest(ctx, name, "v1", m))
		})
	})
}

func TestReferrers(t *testing.T) {
	bubble(t, cloudsim.Options{}, func(t *testing.T, w *world) {
		blob := []byte("{}")
		m := image(nil, blob)
		w.inECR("app", m, "v1", blob)
		sbom := image(&ocispec.Descriptor{MediaType: m.MediaType, Digest: m.Digest, Size: int64(len(m.Bytes))}, blob)
		w.inECR("app", sbom, "sbom", blob)
		c := w.source()
		got, err := c.Referrers(t.Context(), "app", m.Digest)
		must(t, err)
		want := []registry.Child{{Digest: sbom.Digest, MediaType: sbom.MediaType, Size: int64(len(sbom.Bytes))}}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Error(diff)
		}
		w.ecr.SetQuirks(ecrsim.Quirks{Referrers: ecrsim.ReferrersNotFound})
		_, err = c.Referrers(t.Context(), "app", m.Digest)
		wantClass(t, err, registry.Unsupported)
		w.ecr.SetQuirks(ecrsim.Quirks{Referrers: ecrsim.ReferrersFalse})
		if got, err := c.Referrers(t.Context(), "app", m.Digest); err == nil && len(got) > 0 {
			t.Errorf("referrers out of nothing: %v", got)
		}
	})
}

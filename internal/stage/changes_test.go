package stage

import (
	"bytes"
	"net/http"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/opencontainers/go-digest"

	"transship/internal/cloudsim"
	"transship/internal/cloudsim/arsim"
	"transship/internal/cloudsim/corpus"
	"transship/internal/cloudsim/store"
	"transship/internal/cloudstest"
	"transship/internal/document"
	"transship/internal/registry"
)

// A tag that moves at the source after the plan was made is copied as it was planned, called different by verify, and
// taken along by the next migration.
func TestTagMovesAtTheSource(t *testing.T) {
	for name, kind := range map[string]string{"before the copy": "", "during the copy": "ar.v2.upload.put"} {
		t.Run(name, func(t *testing.T) {
			bubble(t, cloudsim.Options{}, corpus.Flat(2, 5), func(t *testing.T, w *cloudstest.World) {
				const repository, tag = "flat/app-0001", "v3"
				p := pipeline(t, w)
				prepare(t, p)
				before, ok := w.ECR.Repository(repository).Content.TagDigest(tag)
				if !ok {
					t.Fatal("there is no such tag")
				}
				var moved digest.Digest
				if kind == "" {
					moved = newImage(t, w, repository, tag)
				} else {
					w.Sim.Faults.Set(nth(kind, 3, func() { moved = newImage(t, w, repository, tag) }))
				}
				results, err := p.Copy(t.Context(), CopyOptions{}, Hooks{})
				if err != nil || results.Failed != 0 || results.Success != 10 {
					t.Fatalf("copied %d, failed %d: %v", results.Success, results.Failed, err)
				}
				at := w.AR.Image(cloudstest.Default().Join(repository).String())
				if d, _ := at.TagDigest(tag); d != before {
					t.Errorf("the tag is at %s, planned was %s", d, before)
				}
				v, err := p.Verify(t.Context(), true, Hooks{})
				if err != nil || v.Mismatched != 1 || v.Cases[0].SourceDigest != moved || v.Cases[0].TargetDigest != before {
					t.Errorf("mismatched %d: %+v, %v", v.Mismatched, firstOf(v.Cases), err)
				}
				results, v = migrate(t, p, true)
				if d, _ := at.TagDigest(tag); d != moved || results.Failed+v.Missing+v.Mismatched != 0 {
					t.Errorf("the next migration: the tag is at %s, failed %d, missing %d, mismatched %d", d, results.Failed, v.Missing, v.Mismatched)
				}
			})
		})
	}
}

// What a lifecycle rule deletes between the plan and the copy, or while the copy runs and has read its manifest, is gone
// and no failure.
func TestDeletedAtTheSource(t *testing.T) {
	spec := corpus.Flat(2, 5)
	for name, c := range map[string]struct{ kind string }{"before the copy": {}, "once its manifest was read": {"ecr.v2.blob.*"}} {
		t.Run(name, func(t *testing.T) {
			bubble(t, cloudsim.Options{}, spec, func(t *testing.T, w *cloudstest.World) {
				p := pipeline(t, w)
				prepare(t, p)
				repository := corpus.Generate(spec).Repositories[1]
				image := repository.Images[4]
				content := w.ECR.Repository(repository.Name).Content
				expire := func() {
					parsed, err := registry.ParseManifest(registry.Manifest{Digest: image.Digest, MediaType: image.MediaType, Bytes: image.Manifest})
					if err != nil {
						t.Error(err)
						return
					}
					content.DeleteManifest(image.Digest)
					content.DeleteBlob(parsed.Blobs[0].Digest) // the config, which no other image has
				}
				if c.kind == "" {
					expire()
				} else {
					gate := make(chan struct{})
					open := sync.OnceFunc(func() { // by the first of several readings
						expire()
						close(gate)
					})
					w.Sim.Faults.Set(cloudsim.Fault{Kind: "ecr.BatchGetImage", Action: func(rw http.ResponseWriter, r *http.Request, next http.Handler) {
						next.ServeHTTP(rw, r)
						time.AfterFunc(time.Second, open)
					}}, cloudsim.Fault{Kind: c.kind, Action: func(rw http.ResponseWriter, r *http.Request, next http.Handler) {
						<-gate
						next.ServeHTTP(rw, r)
					}})
				}
				results, err := p.Copy(t.Context(), CopyOptions{}, Hooks{})
				if err != nil || results.Failed != 0 || results.Success != 9 || len(results.Gone) != 1 || results.Gone[0].Digest != image.Digest || results.Gone[0].Tag != image.Tags[0] {
					t.Errorf("copied %d, failed %d, gone %+v: %+v, %v", results.Success, results.Failed, results.Gone, firstOf(results.Failures), err)
				}
				w.Sim.Faults.Clear()
				v, err := p.Verify(t.Context(), true, Hooks{})
				if err != nil || v.Verified != 9 || v.Missing+v.Mismatched != 0 {
					t.Errorf("verified %d, missing %d, mismatched %d, %v", v.Verified, v.Missing, v.Mismatched, err)
				}
			})
		})
	}
}

// foreign puts an image at the target that no source has, under a tag.
func foreign(t *testing.T, w *cloudstest.World, at *store.Repository, tag string) digest.Digest {
	t.Helper()
	d, ok := at.TagDigest(tag)
	if !ok {
		t.Fatalf("there is no tag %s", tag)
	}
	m, _ := at.Manifest(d)
	body := append(bytes.Clone(m.Bytes), '\n')
	other := store.Manifest{Digest: digest.FromBytes(body), MediaType: m.MediaType, Bytes: body, PushedAt: m.PushedAt}
	at.PutManifest(other)
	at.Tag(tag, other.Digest)
	return other.Digest
}

// A tag that somebody else moved at the target is kept and told, whatever faults there are, until it is to be overwritten.
func TestTagMovedAtTheTarget(t *testing.T) {
	bubble(t, cloudsim.Options{}, corpus.Flat(2, 3), func(t *testing.T, w *cloudstest.World) {
		p := pipeline(t, w)
		migrate(t, p, false)
		at := w.AR.Image(cloudstest.Default().Join("flat/app-0001").String())
		tag := at.Tags()[1]
		was, _ := at.TagDigest(tag)
		theirs := foreign(t, w, at, tag)
		results, v := migrate(t, p, true)
		if d, _ := at.TagDigest(tag); d != theirs || len(results.Kept) != 1 || results.Kept[0].Digest != theirs || results.Failed != 0 || v.Mismatched != 1 {
			t.Errorf("the tag is at %s, kept %+v, failed %d, mismatched %d", d, results.Kept, results.Failed, v.Mismatched)
		}
		results, err := p.Copy(t.Context(), CopyOptions{Overwrite: true}, Hooks{})
		if d, _ := at.TagDigest(tag); err != nil || d != was || results.Failed+len(results.Kept) != 0 {
			t.Errorf("overwritten: the tag is at %s, failed %d, kept %d: %v", d, results.Failed, len(results.Kept), err)
		}
	})
}

// With immutable tags, what is there with the same digest is a success, also where neither the listing shows it yet nor
// the registry takes it again; with another digest it is refused clearly, and all others arrive.
func TestImmutableTags(t *testing.T) {
	for name, o := range map[string]arsim.Options{
		"as documented": {}, "the same refused too": {ImmutableRefusesSame: true}, "listings lag": {ImmutableRefusesSame: true, ListingLag: 5 * time.Minute},
	} {
		t.Run(name, func(t *testing.T) {
			bubble(t, cloudsim.Options{AR: o}, corpus.Flat(2, 4), func(t *testing.T, w *cloudstest.World) {
				p := pipeline(t, w)
				p.Rules.Mapping.Default.Repository.ID = "immutable"
				at := p.Rules.Mapping.Default
				if err := w.AR.CreateRepository("us", at.Repository.Project, "immutable", arsim.Repository{
					Format: "DOCKER", DockerConfig: &arsim.DockerConfig{ImmutableTags: true},
				}); err != nil {
					t.Fatal(err)
				}
				prepare(t, p)
				results, err := p.Copy(t.Context(), CopyOptions{}, Hooks{})
				if err != nil || results.Success != 8 || results.Failed != 0 {
					t.Fatalf("copied %d, failed %d: %v", results.Success, results.Failed, err)
				}
				results, err = p.Copy(t.Context(), CopyOptions{}, Hooks{}) // at once: a listing that lags shows nothing
				if err != nil || results.Success+results.Skipped != 8 || results.Failed != 0 {
					t.Errorf("again: copied %d, skipped %d, failed %d: %+v %v", results.Success, results.Skipped, results.Failed, firstOf(results.Failures), err)
				}
				time.Sleep(10 * time.Minute)
				moved := newImage(t, w, "flat/app-0001", "v1")
				results, v := migrate(t, p, true)
				if results.Failed != 1 || results.Failures[0].Class != string(registry.Immutable) || !strings.Contains(results.Failures[0].Hint, "immutable tags") || results.Failures[0].Tag != "v1" {
					t.Errorf("failed %d: %+v", results.Failed, firstOf(results.Failures))
				}
				if v.Mismatched != 1 || v.Cases[0].SourceDigest != moved {
					t.Errorf("mismatched %d: %+v", v.Mismatched, firstOf(v.Cases))
				}
			})
		})
	}
}

// The plan says where the target's own clean-up policies would delete what is copied, and only there.
func TestCleanupPoliciesAreTold(t *testing.T) {
	deletes := arsim.CleanupPolicy{ID: "old", Action: "DELETE", Condition: &arsim.CleanupCondition{OlderThan: "86400s"}}
	keeps := arsim.CleanupPolicy{ID: "new", Action: "KEEP", MostRecentVersions: &arsim.MostRecentVersions{KeepCount: 3}}
	for name, c := range map[string]struct {
		policies []arsim.CleanupPolicy
		dryRun   bool
		want     int
	}{
		"none": {}, "one deletes": {[]arsim.CleanupPolicy{deletes, keeps}, false, 1}, "dry run": {[]arsim.CleanupPolicy{deletes}, true, 0},
		"only keeps": {[]arsim.CleanupPolicy{keeps}, false, 0},
	} {
		t.Run(name, func(t *testing.T) {
			bubble(t, cloudsim.Options{}, corpus.Flat(1, 2), func(t *testing.T, w *cloudstest.World) {
				p := pipeline(t, w)
				p.Rules.Mapping.Default.Repository.ID = "cleaned"
				settings := arsim.Repository{Format: "DOCKER", CleanupPolicyDryRun: c.dryRun, CleanupPolicies: map[string]arsim.CleanupPolicy{}}
				for _, policy := range c.policies {
					settings.CleanupPolicies[policy.ID] = policy
				}
				if err := w.AR.CreateRepository("us", p.Rules.Mapping.Default.Repository.Project, "cleaned", settings); err != nil {
					t.Fatal(err)
				}
				prepare(t, p)
				made, err := p.ReadPlan()
				if err != nil {
					t.Fatal(err)
				}
				i := slices.IndexFunc(made.Repositories, func(r document.PlannedRepository) bool { return r.URI.ID == "cleaned" })
				if i < 0 || made.Repositories[i].DeletingPolicies != c.want {
					t.Errorf("the plan says %+v, want %d", made.Repositories, c.want)
				}
			})
		})
	}
}

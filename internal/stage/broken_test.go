package stage

import (
	"bytes"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/opencontainers/go-digest"

	"transship/internal/clouds"
	"transship/internal/cloudsim"
	"transship/internal/cloudsim/arsim"
	"transship/internal/cloudsim/corpus"
	"transship/internal/cloudsim/store"
	"transship/internal/cloudstest"
	"transship/internal/registry"
	"transship/internal/registry/oci"
)

// nth makes a fault that calls do before the nth request of a kind, and spoils nothing.
func nth(kind string, n int, do func()) cloudsim.Fault {
	return cloudsim.Fault{Kind: kind, Nth: n, Action: func(w http.ResponseWriter, r *http.Request, next http.Handler) {
		do()
		next.ServeHTTP(w, r)
	}}
}

// expiredURL is how S3 refuses a signed URL that has expired.
func expiredURL(w http.ResponseWriter, _ *http.Request, _ http.Handler) {
	w.Header().Set("Content-Type", "application/xml")
	w.WriteHeader(http.StatusForbidden)
	_, _ = w.Write([]byte(`<?xml version="1.0" encoding="UTF-8"?><Error><Code>AccessDenied</Code><Message>Request has expired</Message></Error>`))
}

// What breaks at the target, or expires on the way, is mended.
func TestBrokenIsMended(t *testing.T) {
	const all = 1e6
	for name, c := range map[string]struct {
		ar     arsim.Options
		faults func(t *testing.T, w *cloudstest.World) []cloudsim.Fault
	}{
		"mounts answered 202": {ar: arsim.Options{Mount: arsim.MountNever}},
		"mounts refused": {faults: func(*testing.T, *cloudstest.World) []cloudsim.Fault {
			return []cloudsim.Fault{{Kind: "ar.v2.mount", Times: all, Action: cloudsim.Status(http.StatusForbidden)}}
		}},
		"mounts not found": {faults: func(*testing.T, *cloudstest.World) []cloudsim.Fault {
			return []cloudsim.Fault{{Kind: "ar.v2.mount", Probability: 0.5, Action: cloudsim.Status(http.StatusNotFound)}}
		}},
		"signed URLs expired": {faults: func(*testing.T, *cloudstest.World) []cloudsim.Fault {
			return []cloudsim.Fault{{Kind: "s3.*", Probability: 0.3, Action: expiredURL}}
		}},
		"blobs vanish at the target": {faults: func(t *testing.T, w *cloudstest.World) []cloudsim.Fault {
			return []cloudsim.Fault{nth("ar.v2.manifest.put", 1, func() { forgetBlobs(t, w) })}
		}},
		"ECR's token expires": {faults: func(_ *testing.T, w *cloudstest.World) []cloudsim.Fault {
			return []cloudsim.Fault{nth("ecr.v2.blob.*", 20, w.ECR.Region().ExpireTokens)}
		}},
	} {
		t.Run(name, func(t *testing.T) {
			bubble(t, cloudsim.Options{AR: c.ar}, streamed(), func(t *testing.T, w *cloudstest.World) {
				if c.faults != nil {
					w.Sim.Faults.SetSeeded(7, c.faults(t, w)...)
				}
				results, v := migrate(t, pipeline(t, w), true)
				wantAll(t, results, v)
				if c.faults != nil && w.Sim.Faults.Fired() == 0 {
					t.Error("nothing was tested")
				}
				if n := w.Sim.Counts().Of("ecr.GetAuthorizationToken"); n > 3 {
					t.Errorf("%d tokens were asked for", n)
				}
			})
		})
	}
}

// forgetBlobs makes the target lose every blob that it has.
func forgetBlobs(t *testing.T, w *cloudstest.World) {
	t.Helper()
	n := 0
	for _, image := range images(w) {
		for _, blob := range image.Blobs() {
			image.DeleteBlob(blob)
			n++
		}
	}
	if n == 0 {
		t.Error("there was nothing to forget")
	}
}

// A blob that is corrupt in ECR is a failure by name of the images that need it, and never a blob at the target; all
// others arrive.
func TestCorruptSource(t *testing.T) {
	small := streamed()
	small.LayerBytes = 4 << 10
	for name, spec := range map[string]corpus.Spec{"in memory": small, "streamed": streamed()} {
		t.Run(name, func(t *testing.T) {
			bubble(t, cloudsim.Options{}, spec, func(t *testing.T, w *cloudstest.World) {
				c := corpus.Generate(spec)
				d := spoilLayer(w, c)
				if large := len(c.Blobs[d]) > oci.SmallBlob; large != (name == "streamed") {
					t.Errorf("the layer has %d bytes", len(c.Blobs[d]))
				}
				results, v := migrate(t, pipeline(t, w), true)
				if results.Failed == 0 || results.Success <= results.Failed || v.Verified != results.Success || v.Missing != results.Failed {
					t.Errorf("copied %d, failed %d, verified %d, missing %d", results.Success, results.Failed, v.Verified, v.Missing)
				}
				told := 0
				for _, f := range results.Failures {
					if f.Class == string(registry.Corrupt) {
						told++
					}
					if f.Class != string(registry.Corrupt) && f.Class != string(registry.Incomplete) || !strings.Contains(f.Error, d.String()) || f.Hint == "" {
						t.Errorf("the failure is not told: %+v", f)
					}
				}
				if told == 0 {
					t.Error("nothing is called corrupt")
				}
				wantNowhere(t, w, d)
			})
		})
	}
}

// spoilLayer flips a byte of the largest layer that one image of the corpus's first repository needs, wherever it is in ECR.
func spoilLayer(w *cloudstest.World, c *corpus.Corpus) digest.Digest {
	d := c.Repositories[0].Blobs[0]
	for _, other := range c.Repositories[0].Blobs {
		if len(c.Blobs[other]) > len(c.Blobs[d]) {
			d = other
		}
	}
	bad := bytes.Clone(c.Blobs[d])
	bad[len(bad)/2] ^= 1
	for _, r := range c.Repositories {
		if slices.Contains(r.Blobs, d) {
			w.ECR.Repository(r.Name).Content.PutBlob(d, store.BytesBlob(bad))
		}
	}
	return d
}

// images are all image paths of the target that a repository of ECR leads to.
func images(w *cloudstest.World) map[string]*store.Repository {
	out := map[string]*store.Repository{}
	for _, r := range w.ECR.Repositories() {
		if image := w.AR.Image(cloudstest.Default().Join(r.Name()).String()); image != nil {
			out[r.Name()] = image
		}
	}
	return out
}

// wantNowhere checks that the target has no blob of that digest, whatever its bytes.
func wantNowhere(t *testing.T, w *cloudstest.World, d digest.Digest) {
	t.Helper()
	for name, image := range images(w) {
		if _, there := image.Blob(d); there {
			t.Errorf("%s is at %s", d, name)
		}
	}
}

// A Google token that is refused in the midst of a run is renewed, once.
func TestGoogleTokenExpires(t *testing.T) {
	path := filepath.Join(t.TempDir(), "adc.json")
	if err := os.WriteFile(path, []byte(`{"type":"authorized_user","client_id":"c","client_secret":"s","refresh_token":"r"}`), 0o600); err != nil {
		t.Fatal(err)
	}
	t.Setenv("GOOGLE_APPLICATION_CREDENTIALS", path)
	synctest.Test(t, func(t *testing.T) {
		w := cloudstest.New(t, cloudsim.Options{}, streamed())
		o := w.Options()
		o.Getenv = nil
		target, err := clouds.OpenTarget(t.Context(), o)
		if err != nil {
			t.Fatal(err)
		}
		p := pipeline(t, w)
		p.Target = target
		var mu sync.Mutex
		old, n := "", 0
		w.Sim.Faults.Set(cloudsim.Fault{Kind: "ar.v2.*", Action: cloudsim.Status(http.StatusUnauthorized), Match: func(r *http.Request) bool {
			mu.Lock()
			defer mu.Unlock()
			if n++; n == 100 {
				old = r.Header.Get("Authorization")
			}
			return old != "" && r.Header.Get("Authorization") == old
		}})
		results, v := migrate(t, p, true)
		wantAll(t, results, v)
		if tokens := w.Sim.Counts().Of("ar.oauth.token"); w.Sim.Faults.Fired() == 0 || tokens != 2 {
			t.Errorf("%d refusals, %d tokens were asked for, want 2", w.Sim.Faults.Fired(), tokens)
		}
		time.Sleep(time.Hour)
	})
}

// Credentials that stop working for good end the run soon and clearly: each image says so, and nothing is asked for ever.
func TestCredentialsEnd(t *testing.T) {
	for side, spoil := range map[string]func(w *cloudstest.World, ended *atomic.Bool) []cloudsim.Fault{
		"source": func(w *cloudstest.World, ended *atomic.Bool) []cloudsim.Fault {
			return []cloudsim.Fault{nth("ecr.v2.blob.*", 20, func() {
				ended.Store(true)
				w.ECR.SetAccessKeys("AKIAOTHER")
				w.ECR.Region().ExpireTokens()
			})}
		},
		"target": func(_ *cloudstest.World, ended *atomic.Bool) []cloudsim.Fault {
			return []cloudsim.Fault{
				nth("ar.v2.*", 100, func() { ended.Store(true) }),
				{Kind: "ar.v2.*", Match: func(*http.Request) bool { return ended.Load() }, Action: cloudsim.Status(http.StatusUnauthorized)},
			}
		},
	} {
		t.Run(side, func(t *testing.T) {
			bubble(t, cloudsim.Options{}, streamed(), func(t *testing.T, w *cloudstest.World) {
				p := pipeline(t, w)
				prepare(t, p)
				var ended atomic.Bool
				w.Sim.Faults.Set(spoil(w, &ended)...)
				before, start := w.Sim.Counts(), time.Now()
				results, err := p.Copy(t.Context(), CopyOptions{}, Hooks{})
				if err != nil {
					t.Fatal(err)
				}
				n := w.Sim.Counts().Sub(before).Total()
				t.Logf("copied %d, failed %d in %s with %d requests", results.Success, results.Failed, time.Since(start), n)
				if took := time.Since(start); took > time.Minute || n > 3000 {
					t.Errorf("it took %s and %d requests to end", took, n)
				}
				if results.Failed == 0 {
					t.Fatal("nothing failed")
				}
				told := 0
				for _, f := range results.Failures {
					switch f.Class {
					case string(registry.Unauthorized):
						told++
						if f.Hint == "" {
							t.Errorf("no hint: %+v", f)
						}
					case string(registry.Incomplete):
					default:
						t.Errorf("class %s: %s", f.Class, f.Error)
					}
				}
				if told == 0 {
					t.Error("no failure names the credentials")
				}
			})
		})
	}
}

// prepare runs the stages before the copy.
func prepare(t *testing.T, p *Pipeline) {
	t.Helper()
	if _, err := p.Inventory(t.Context(), Hooks{}); err != nil {
		t.Fatal(err)
	}
	if _, err := p.Plan(t.Context(), Hooks{}); err != nil {
		t.Fatal(err)
	}
	if _, err := p.Provision(t.Context(), ProvisionOptions{}, Hooks{}); err != nil {
		t.Fatal(err)
	}
}

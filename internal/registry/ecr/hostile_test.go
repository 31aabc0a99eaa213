package ecr

import (
	"bytes"
	"compress/gzip"
	"net/http"
	"runtime"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/opencontainers/go-digest"

	"transship/internal/cloudsim"
	"transship/internal/registry"
)

// TestHostileAnswers has an API whose answers are too large, or hold what must not reach a terminal. Each ends with an
// error that says so, within bounded memory.
func TestHostileAnswers(t *testing.T) {
	d := digest.FromString("x")
	for _, c := range []struct {
		name   string
		status int
		body   string
		class  registry.Class
		say    string
	}{
		{"an answer of 65 MB", 200, `{"imageDetails":[],"x":"` + strings.Repeat("x", 65<<20) + `"}`, registry.Unknown, "more than 67108864 bytes"},
		{"three million images of nothing", 200, `{"imageDetails":[` + strings.Repeat("{},", 3_000_000) + `{}]}`, registry.Unknown, "more than 2000000 values"},
		{"lists in lists", 200, `{"imageDetails":` + strings.Repeat("[", 1_000_000), registry.Unknown, "expected '{'"},
		{"an error of 10 MB", 400, apiError("InvalidParameterException", strings.Repeat("no ", 3_000_000)), registry.Invalid, "InvalidParameterException: no no"},
		{"an error for a terminal", 400, `{"__type":"X\u009b2J","message":"\u001b[2J\u001b]0;title\u0007\r\nred\u202e"}`, registry.Unknown, "X: red"},
		{"a digest for a terminal", 200, `{"imageDetails":[{"imageDigest":"\u001b[2J"}]}`, registry.Unknown, `"\x1b[2J"`},
		{"a digest of a megabyte", 200, `{"imageDetails":[{"imageDigest":"` + strings.Repeat("x", 1<<20) + `"}]}`, registry.Unknown, "is listed with the digest"},
		{"tags of a megabyte", 200, `{"imageDetails":[{"imageTags":["` + strings.Repeat("x", 1<<20) + `"]}]}`, registry.Unknown, "an image (tags"},
		{"a digest of another algorithm", 200, `{"imageDetails":[{"imageDigest":"md5:d41d8cd98f00b204e9800998ecf8427e"}]}`, registry.Unknown, "unsupported digest algorithm"},
	} {
		t.Run(c.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				r, begin := scripted(always(c.status, c.body)), time.Now()
				var before, after runtime.MemStats
				runtime.ReadMemStats(&before)
				err := lastError(r.Images(t.Context(), home.Repository("app")))
				runtime.ReadMemStats(&after)
				if n := after.TotalAlloc - before.TotalAlloc; n > 768<<20 {
					t.Errorf("%d MiB were allocated", n>>20)
				}
				if took := time.Since(begin); took > time.Hour {
					t.Errorf("it took %s", took)
				}
				if err == nil || !strings.Contains(err.Error(), c.say) || registry.ClassOf(err) != c.class {
					t.Errorf("the error of class %s is %.2000v, want %q of class %s", registry.ClassOf(err), err, c.say, c.class)
				}
				checkError(t, err)
			})
		})
	}
	// Who asked for manifests then asks for them one by one.
	r := scripted(always(200, `{"images":[{"imageId":{"imageDigest":"`+d.String()+`"},"imageManifest":"`+strings.Repeat("x", 65<<20)+`"}]}`))
	if _, _, err := r.Manifests(t.Context(), home.Repository("app"), []digest.Digest{d}); err == nil || !strings.Contains(err.Error(), "more than") {
		t.Errorf("a manifest of 100 MB: %.500v", err)
	}
}

// TestPackedBomb has ECR send some kilobytes that unpack to 66 MiB.
func TestPackedBomb(t *testing.T) {
	var bomb bytes.Buffer
	z := gzip.NewWriter(&bomb)
	for _, part := range []string{`{"imageDetails":[],"x":"`, strings.Repeat("x", 66<<20), `"}`} {
		if _, err := z.Write([]byte(part)); err != nil {
			t.Fatal(err)
		}
	}
	if err := z.Close(); err != nil {
		t.Fatal(err)
	}
	sim, _, r := world(t, cloudsim.Options{})
	sim.Faults.Set(cloudsim.Fault{Kind: "ecr.DescribeImages", Action: func(w http.ResponseWriter, _ *http.Request, _ http.Handler) {
		w.Header().Set("Content-Type", "application/x-amz-json-1.1")
		w.Header().Set("Content-Encoding", "gzip")
		_, _ = w.Write(bomb.Bytes())
	}})
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	err := lastError(r.Images(t.Context(), home.Repository("app")))
	runtime.ReadMemStats(&after)
	if n := after.TotalAlloc - before.TotalAlloc; n > 768<<20 || err == nil || len(err.Error()) > 2500 {
		t.Errorf("%d MiB were allocated, and the error is %.500v", n>>20, err)
	}
}

package gar

import (
	"fmt"
	"net/http"
	"runtime"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/opencontainers/go-digest"

	"transship/internal/document"
	"transship/internal/registry"
)

// TestHostileAnswers has an API whose answers are too large, never end, or hold what must not reach a terminal. Each
// ends with an error that says so, within bounded memory.
func TestHostileAnswers(t *testing.T) {
	d := digest.FromString("x").String()
	for _, c := range []struct {
		name  string
		body  func(n int) string
		class registry.Class
		say   string
	}{
		{"an answer of 65 MB", func(int) string { return `{"x":"` + strings.Repeat("x", 65<<20) + `"}` }, registry.Invalid, "more than 67108864 bytes"},
		{"three million images of nothing", func(int) string { return `{"dockerImages":[` + strings.Repeat("{},", 3_000_000) + `{}]}` }, registry.Invalid, "more than 1000000 values"},
		{"new tokens for ever", func(n int) string { return fmt.Sprintf(`{"nextPageToken":"%d"}`, n) }, registry.Unknown, "does not end"},
		{"null for an image", func(int) string { return `{"dockerImages":[null]}` }, registry.Unknown, "null"},
		{"an image elsewhere", func(int) string {
			return `{"dockerImages":[{"uri":"us-docker.pkg.dev/my-project/other/\u001b[2Ja@` + d + `"}]}`
		}, registry.Unknown, "not in this repository"},
		{"an address of a megabyte", func(int) string { return `{"dockerImages":[{"uri":"` + strings.Repeat("x", 1<<20) + `"}]}` }, registry.Unknown, "an image is listed with the uri"},
		{"a digest of another algorithm", func(int) string {
			return `{"dockerImages":[{"uri":"us-docker.pkg.dev/my-project/app-images/a@md5:d41d8cd98f00b204e9800998ecf8427e"}]}`
		}, registry.Unknown, "not IMAGE@DIGEST"},
	} {
		t.Run(c.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				s := &script{answer: func(n int, _ *http.Request) (int, string, http.Header, error) { return 200, c.body(n), nil, nil }}
				client, begin := cloud(t, s, StaticToken(accessToken)), time.Now()
				var before, after runtime.MemStats
				runtime.ReadMemStats(&before)
				err := lastError(client.Images(t.Context(), apps))
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
}

// An image path with dots or escapes in it is nobody's: it is listed as it is, and equals no path that is looked for.
func TestHostilePaths(t *testing.T) {
	d := digest.FromString("x").String()
	for _, path := range []string{"..", "../../other/app", "a/../b", "\x1b[2J", "A", "a//b", "a?b"} {
		s := always(200, fmt.Sprintf(`{"dockerImages":[{"uri":"us-docker.pkg.dev/my-project/app-images/%s@%s"}]}`, strings.ReplaceAll(path, "\x1b", `\u001b`), d))
		var got []document.TargetImage
		for i, err := range cloud(t, s, StaticToken(accessToken)).Images(t.Context(), apps) {
			if err != nil {
				t.Fatal(err)
			}
			got = append(got, i)
		}
		if len(got) != 1 || got[0].URI.Repository != apps || got[0].URI.Validate() == nil {
			t.Errorf("%q is listed as %+v", path, got)
		}
	}
}

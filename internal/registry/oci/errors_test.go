package oci

import (
	"bytes"
	"fmt"
	"log/slog"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"unicode"
	"unicode/utf8"

	"github.com/opencontainers/go-digest"

	"transship/internal/cloudsim"
	"transship/internal/registry"
	"transship/internal/registry/secret"
)

func oci(code, message string) string {
	return fmt.Sprintf(`{"errors":[{"code":%q,"message":%q}]}`, code, message)
}

func TestClassify(t *testing.T) {
	for _, c := range []struct {
		status int
		body   string
		want   registry.Class
	}{
		{401, "Not Authorized", registry.Unauthorized},
		{403, oci("DENIED", "Your authorization token has expired. Reauthenticate and try again."), registry.Unauthorized},
		{403, oci("DENIED", `Permission "artifactregistry.repositories.uploadArtifacts" denied on resource "projects/P/locations/L/repositories/R" (or it may not exist)`), registry.Denied},
		{403, oci("DENIED", "User: arn:aws:iam::1:user/x is not authorized to perform: ecr:BatchGetImage"), registry.Denied},
		{403, "", registry.Denied},
		{404, oci("NAME_UNKNOWN", `Repository "x" not found`), registry.NoRepository},
		{404, oci("NAME_UNKNOWN", "The repository with name 'x' does not exist in the registry with id '1'"), registry.NoRepository},
		{404, `name unknown: Repository "x" not found`, registry.NoRepository},
		{404, oci("MANIFEST_UNKNOWN", "Requested image not found"), registry.NotFound},
		{404, oci("BLOB_UNKNOWN", "blob unknown to registry"), registry.NotFound},
		{404, "<html><body>Not Found</body></html>", registry.NotFound},
		{404, oci("BLOB_UPLOAD_UNKNOWN", "x"), registry.Unavailable},
		{400, oci("MANIFEST_BLOB_UNKNOWN", "blob unknown"), registry.Incomplete},
		{400, oci("MANIFEST_INVALID", "cannot update tag T. The repository has enabled tag immutability"), registry.Immutable},
		{400, oci("TAG_INVALID", "The image tag 'T' already exists in the 'R' repository and cannot be overwritten because the repository is immutable."), registry.Immutable},
		{400, oci("MANIFEST_INVALID", "no"), registry.Invalid},
		{400, oci("DIGEST_INVALID", "no"), registry.Corrupt},
		{400, "", registry.Invalid},
		{405, oci("UNSUPPORTED", ""), registry.Unsupported},
		{409, "", registry.Conflict},
		{416, "", registry.Corrupt},
		{429, "", registry.Throttled},
		{429, oci("TOOMANYREQUESTS", "RESOURCE_EXHAUSTED: Quota exceeded"), registry.Throttled},
		{400, `{"__type":"ThrottlingException","message":"Rate exceeded"}`, registry.Throttled},
		{403, `{"error":{"code":403,"message":"Quota exceeded for quota metric","status":"RESOURCE_EXHAUSTED"}}`, registry.Throttled},
		{503, `<?xml version="1.0"?><Error><Code>SlowDown</Code><Message>Please reduce your request rate.</Message></Error>`, registry.Throttled},
		{500, "", registry.Unavailable},
		{500, oci("UNKNOWN", "unknown error"), registry.Unavailable},
		{502, "<html>Bad Gateway</html>", registry.Unavailable},
		{503, oci("UNAVAILABLE", ""), registry.Unavailable},
		{504, "", registry.Unavailable},
		{501, "", registry.Unsupported},
		{418, "", registry.Invalid},
	} {
		code, message := parseRefusal([]byte(c.body))
		if got := classify(c.status, code, message); got != c.want {
			t.Errorf("%d %s is %s, want %s", c.status, c.body, got, c.want)
		}
	}
}

func TestParseRefusal(t *testing.T) {
	for body, want := range map[string]string{
		"":               ": ",
		"plain text\n":   ": plain text",
		"<html>x</html>": ": ",
		oci("A", "b"):    "A: b",
		`{"errors":[]}`:  ": ",
		`{"errors":[{"code":"A"},{"code":"B","message":"c"}]}`: "A: ; B: c",
		`{"errors":"no"}`: `: {"errors":"no"}`,
		`{"error":{"code":403,"message":"m","status":"S"}}`: "S: m",
		`{"error":"no"}`: ": ",
		`{"__type":"com.amazonaws#X","message":"m"}`:                                                          "X: m",
		`<?xml version="1.0"?><Error><Code>AccessDenied</Code><Message>Request has expired</Message></Error>`: "AccessDenied: Request has expired",
		`<Error><Code>`: ": ",
		"null":          ": ",
		"[1]":           ": [1]",
	} {
		code, message := parseRefusal([]byte(body))
		if got := code + ": " + message; got != want {
			t.Errorf("%s is %q, want %q", body, got, want)
		}
	}
}

func TestClean(t *testing.T) {
	for text, want := range map[string]string{
		"a\x1b[31mred\x1b[0m b":      "ared b",
		"a\x1b]0;title\x07b":         "ab",
		"a\x1b]8;;https://x\x1b\\b":  "ab",
		"a\u009b31mb\x00\x7f\u0085c": "ab c",
		"one\r\n\ttwo":               "one two",
		"abc\u202edef\u200b":         "abcdef",
		"bad \xff utf8":              "bad \uFFFD utf8",
		"see https://s3.example/a?X-Amz-Signature=abc&y=1 now":       "see https://s3.example/a?… now",
		"got Bearer ya29.abcdefghijk and Basic QVdTOnNlY3JldA==":     "got Bearer … and Basic …",
		"X-Amz-Signature=0123abcd&X-Amz-Credential=AKIA%2F1 refused": "X-Amz-Signature=…&X-Amz-Credential=… refused",
		strings.Repeat("ä", 400):                                     strings.Repeat("ä", 250) + "…",
	} {
		if got := secret.Clean(text); got != want {
			t.Errorf("%q is %q, want %q", text, got, want)
		}
	}
}

// Neither an error nor a log line has a credential, a signed query or an escape in it.
func TestErrorsAndLogsAreClean(t *testing.T) {
	bubble(t, cloudsim.Options{}, func(t *testing.T, w *world) {
		var log bytes.Buffer
		logged := func(o *Options) {
			o.Logger = slog.New(slog.NewTextHandler(&log, &slog.HandlerOptions{Level: slog.LevelDebug}))
		}
		w.sim.Handle("bucket.example", http.HandlerFunc(func(rw http.ResponseWriter, r *http.Request) {
			rw.WriteHeader(400)
			_, _ = fmt.Fprintf(rw, "<Error><Code>Bad</Code><Message>https://bucket.example%s refused \x1b[2J</Message></Error>", strings.ReplaceAll(r.URL.String(), "&", "&amp;"))
		}))
		c := w.scripted(func(rw http.ResponseWriter, r *http.Request) {
			if strings.Contains(r.URL.Path, "/blobs/") {
				http.Redirect(rw, r, "https://bucket.example/x?X-Amz-Signature=s1gned&token=t0ken", http.StatusTemporaryRedirect)
				return
			}
			rw.WriteHeader(400)
			_, _ = fmt.Fprintf(rw, "you sent \x1b[31m%s", r.Header.Get("Authorization"))
		}, logged)
		_, err1 := c.OpenBlob(t.Context(), "app", blobOf(noise(10)))
		_, err2 := c.Manifest(t.Context(), "app", "v1")
		wantClass(t, err1, registry.Invalid, "bucket.example")
		wantClass(t, err2, registry.Invalid, "you sent Basic …")
		for _, text := range []string{err1.Error(), err2.Error(), log.String()} {
			for _, bad := range []string{"s1gned", "t0ken", "c2VjcmV0", "\x1b", `\x1b`} {
				if strings.Contains(text, bad) {
					t.Errorf("%q is in %q", bad, text)
				}
			}
		}
		if !strings.Contains(log.String(), "side=source method=GET host=bucket.example name=app status=400") {
			t.Errorf("the log is %s", &log)
		}
	})
}

func TestManifestsThatAreWrong(t *testing.T) {
	body := []byte(`{"schemaVersion":2,"mediaType":"application/vnd.oci.image.manifest.v1+json"}`)
	d := digest.FromBytes(body)
	for _, c := range []struct {
		name      string
		reference string
		header    map[string]string
		body      []byte
		class     registry.Class
		mediaType string
	}{
		{"by digest", d.String(), map[string]string{"Content-Type": "application/vnd.oci.image.manifest.v1+json; charset=utf-8"}, body, "", "application/vnd.oci.image.manifest.v1+json"},
		{"no digest header", "v1", nil, body, "", "application/vnd.oci.image.manifest.v1+json"},
		{"bad digest header", "v1", map[string]string{"Docker-Content-Digest": "junk"}, body, "", "application/vnd.oci.image.manifest.v1+json"},
		{"generic type", "v1", map[string]string{"Content-Type": "application/json"}, body, "", "application/vnd.oci.image.manifest.v1+json"},
		{"other bytes", d.String(), nil, []byte("{}"), registry.Corrupt, ""},
		{"other digest", "v1", map[string]string{"Docker-Content-Digest": digest.FromString("x").String()}, body, registry.Corrupt, ""},
		{"too large", "v1", nil, make([]byte, registry.MaxManifestBytes+1), registry.Unsupported, ""},
		{"as large as can be", "v1", map[string]string{"Content-Type": "a/b"}, make([]byte, registry.MaxManifestBytes), "", "a/b"},
	} {
		t.Run(c.name, func(t *testing.T) {
			bubble(t, cloudsim.Options{}, func(t *testing.T, w *world) {
				requests := 0
				client := w.scripted(func(w http.ResponseWriter, r *http.Request) {
					requests++
					if accept := r.Header.Get("Accept"); !strings.Contains(accept, "manifest.list.v2+json") || !strings.Contains(accept, "image.index.v1+json") ||
						!strings.Contains(accept, "manifest.v1+prettyjws") || strings.Contains(accept, "*/*") {
						t.Errorf("accepts %s", accept)
					}
					w.Header()["Content-Type"] = nil
					for k, v := range c.header {
						w.Header().Set(k, v)
					}
					if r.Method == http.MethodGet {
						_, _ = w.Write(c.body)
					}
				})
				m, err := client.Manifest(t.Context(), "app", c.reference)
				if c.class != "" {
					wantClass(t, err, c.class)
					if c.class == registry.Corrupt && requests != 1+corruptTries {
						t.Errorf("%d requests", requests)
					}
					return
				}
				must(t, err)
				if m.MediaType != c.mediaType || m.Digest != digest.FromBytes(c.body) {
					t.Errorf("got %s of type %q", m.Digest, m.MediaType)
				}
				if got, err := client.HeadManifest(t.Context(), "app", c.reference); err != nil || got != m.Digest {
					t.Errorf("HEAD: %s, %v", got, err)
				}
			})
		})
	}
}

func TestHeadBlobAnswers(t *testing.T) {
	blob := blobOf(noise(1000))
	for _, c := range []struct {
		status int
		length string
		class  registry.Class
	}{{200, "1000", ""}, {200, "", ""}, {307, "", ""}, {200, "999", registry.Corrupt}, {404, "", registry.NotFound}, {403, "", registry.Denied}, {204, "", registry.Invalid}} {
		bubble(t, cloudsim.Options{}, func(t *testing.T, w *world) {
			client := w.scripted(func(w http.ResponseWriter, r *http.Request) {
				if c.length != "" {
					w.Header().Set("Content-Length", c.length)
				}
				w.Header().Set("Location", "https://bucket.example/x")
				w.WriteHeader(c.status)
			})
			err := client.HeadBlob(t.Context(), "app", blob)
			if c.class != "" {
				wantClass(t, err, c.class)
			} else if err != nil {
				t.Errorf("%d: %v", c.status, err)
			}
		})
	}
}

func FuzzParseRefusal(f *testing.F) {
	for _, seed := range []string{"", "text \x1b[31m", oci("NAME_UNKNOWN", `Repository "x" not found`), `{"error":{"message":"m","status":"S"}}`,
		`{"__type":"a#B","message":"m"}`, `<?xml version="1.0"?><Error><Code>AccessDenied</Code></Error>`, `{"errors":[{},{}]}`, "\xff\xfe"} {
		f.Add(403, []byte(seed))
	}
	f.Fuzz(func(t *testing.T, status int, body []byte) {
		code, message := parseRefusal(body)
		for _, text := range []string{code, message} {
			if len(text) > secret.MaxText+len("…") || !utf8.ValidString(text) || strings.ContainsFunc(text, unicode.IsControl) {
				t.Errorf("%q", text)
			}
			if again := secret.Clean(text); len(text) <= secret.MaxText && again != text {
				t.Errorf("cleaning %q again gives %q", text, again)
			}
		}
		if classify(status, code, message) == "" {
			t.Error("no class")
		}
	})
}

func FuzzResolveLocation(f *testing.F) {
	for _, seed := range []string{"/x", "https://other.example/a?b", "http://x/", "//x", "?a=b", "https://u@x/", "https:x", "\x00", "https://[::1]:443/", "https://x%00/"} {
		f.Add(seed)
	}
	base := &url.URL{Scheme: "https", Host: "registry.example", Path: "/v2/app/blobs/uploads/"}
	d := digest.FromString("x")
	f.Fuzz(func(t *testing.T, location string) {
		to, err := resolveLocation(base, location)
		if err != nil {
			return
		}
		if to.Scheme != "https" || to.Hostname() == "" || to.User != nil {
			t.Errorf("%q leads to %s", location, to)
		}
		commit := (Upload{to}).commit(d)
		if commit.Host != to.Host || !strings.HasSuffix(commit.String(), "digest=sha256%3A"+d.Encoded()) {
			t.Errorf("%q is completed at %s", location, commit)
		}
	})
}

func FuzzParseContentRange(f *testing.F) {
	for _, seed := range []string{"bytes 5-9/10", "bytes 5-9/*", "bytes */10", "bytes 9-5/10", "Bytes 0-0/1", "bytes 5-10/10", "items 1-2/3", ""} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, header string) {
		first, size, err := parseContentRange(header)
		if err == nil && (first < 0 || size >= 0 && first >= size) {
			t.Errorf("%q is %d of %d", header, first, size)
		}
	})
}

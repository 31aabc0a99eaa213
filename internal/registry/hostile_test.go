package registry

import (
	"bytes"
	"encoding/base64"
	"errors"
	"fmt"
	"runtime"
	"strings"
	"testing"

	"github.com/opencontainers/go-digest"
	ocispec "github.com/opencontainers/image-spec/specs-go/v1"
	"pgregory.net/rapid"
)

// allocated returns how many bytes were allocated while f ran: never less than what it held at any one time.
func allocated(f func()) uint64 {
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	f()
	runtime.ReadMemStats(&after)
	return after.TotalAlloc - before.TotalAlloc
}

// full is text repeated between two ends, as often as a manifest has room for.
func full(begin, text, end string) []byte {
	var b bytes.Buffer
	b.WriteString(begin)
	for b.Len()+len(text)+len(end)+1 < MaxManifestBytes {
		b.WriteString(text)
	}
	b.WriteString("null" + end)
	return b.Bytes()[:min(b.Len(), MaxManifestBytes)]
}

// TestHostileManifests has manifests whose few bytes would become much memory or time. Each is refused with a reason,
// and takes no more than ten times the largest manifest.
func TestHostileManifests(t *testing.T) {
	const image, index = ocispec.MediaTypeImageManifest, ocispec.MediaTypeImageIndex
	signature := `{"protected":"` + base64.RawURLEncoding.EncodeToString([]byte(`{"formatLength":2000000,"formatTail":"fQ"}`)) + `","signature":"` + strings.Repeat("A", 100) + `"},`
	for _, c := range []struct {
		name, mediaType string
		body            []byte
		say             string
	}{
		{"a million layers of nothing", image, full(`{"layers":[`, "{},", `]}`), "names more than"},
		{"two million zeros", image, full(`{"layers":[`, "0,", `]}`), "names more than"},
		{"children of nothing", index, full(`{"manifests":[`, "null,", `]}`), "names more than"},
		{"a list under another name", image, full(`{"LAYERS":[`, "{},", `]}`), "names more than"},
		{"a list within a descriptor", image, full(`{"config":{"urls":[`, `"",`, `]}}`), "names more than"},
		{"layers of schema 1", MediaTypeDockerSchema1, full(`{"schemaVersion":1,"fsLayers":[`, "{},", `]}`), "names more than"},
		{"signatures of schema 1", MediaTypeDockerSigned1, full(`{"schemaVersion":1,"signatures":[`, signature, `]}`), "has not what those have"},
		{"lists in lists", image, bytes.Repeat([]byte("["), MaxManifestBytes), "not valid JSON"},
		{"objects in objects", image, bytes.Repeat([]byte(`{"layers":`), MaxManifestBytes/10), "not valid JSON"},
		{"many annotations", image, full(`{"schemaVersion":2,"config":{"annotations":{`, `"a":"b",`, `:1}}}`), "not valid JSON"},
		{"a digest of a megabyte", image, []byte(`{"config":{"digest":"` + strings.Repeat("x", 1<<20) + `"}}`), "not a valid digest"},
		{"a type of a megabyte", image, []byte(`{"mediaType":"` + strings.Repeat("x", 1<<20) + `"}`), "calls itself"},
		{"100 MB", image, make([]byte, 100<<20), "more than"},
	} {
		t.Run(c.name, func(t *testing.T) {
			var err error
			if n := allocated(func() {
				m := Manifest{MediaType: c.mediaType, Bytes: c.body}
				_, err = ParseManifest(m)
				m.Digest = digest.FromString("other")
				if m.Check() == nil {
					t.Error("it has another digest")
				}
			}); n > 10*MaxManifestBytes {
				t.Errorf("%d MiB were allocated", n>>20)
			}
			if err == nil || !strings.Contains(err.Error(), c.say) || len(err.Error()) > 1000 {
				t.Errorf("the error is %.2000v, want one with %q", err, c.say)
			}
		})
	}
}

func TestHostileDescriptors(t *testing.T) {
	good := digest.FromString("x").String()
	for _, c := range []struct{ digest, size, say string }{
		{good, "-1", "the size -1"},
		{good, "9223372036854775807", "the size 9223372036854775807"},
		{good, fmt.Sprint(MaxBlobBytes + 1), "which nothing has"},
		{good, "9223372036854775808", "not valid JSON"},
		{good, "1e400", "not valid JSON"},
		{"md5:d41d8cd98f00b204e9800998ecf8427e", "1", "not a valid digest"},
		{"sha256:" + strings.ToUpper(digest.FromString("x").Encoded()), "1", "not a valid digest"},
		{"sha256:../../" + strings.Repeat("a", 58), "1", "not a valid digest"},
		{`sha256:\u001b[2J` + strings.Repeat("a", 60), "1", "not a valid digest"},
		{"blake3:" + strings.Repeat("a", 64), "1", "not a valid digest"},
	} {
		for _, body := range []string{
			`{"config":{"digest":"` + c.digest + `","size":` + c.size + `}}`,
			`{"layers":[{"digest":"` + c.digest + `","size":` + c.size + `}]}`,
			`{"subject":{"digest":"` + c.digest + `","size":` + c.size + `}}`,
		} {
			_, err := ParseManifest(Manifest{MediaType: ocispec.MediaTypeImageManifest, Bytes: []byte(body)})
			if err == nil || !strings.Contains(err.Error(), c.say) || strings.Contains(err.Error(), "\x1b") {
				t.Errorf("%s: %q, want %q", body, err, c.say)
			}
		}
	}
}

func TestLongestListIsThatOfTheDecoder(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		n := rapid.IntRange(2, 50).Draw(t, "elements")
		element := rapid.SampledFrom([]string{`{}`, `[1,2]`, `"a,b]\"[,"`, `{"a":1,"b":[1],"c":"\\"}`, `null`, ` 1 `}).Draw(t, "element")
		text := `{"x":"[,,,,]","y":{"a":1,"b":2,"c":3,"d":4},"z":[` + strings.TrimSuffix(strings.Repeat(element+",", n), ",") + `]}`
		if got := longestList([]byte(text)); got != n {
			t.Errorf("%d elements in %s, want %d", got, text, n)
		}
	})
}

// TestHostilePages has listings that do not end, by tokens that repeat, at once or later, and by tokens that do not.
func TestHostilePages(t *testing.T) {
	errRepeated := errors.New("repeated")
	for _, c := range []struct {
		name  string
		items int
		token func(n int) string
		want  string
		pages int
	}{
		{"the same token", 1, func(int) string { return "a" }, "repeated", 2},
		{"tokens in a circle", 1, func(n int) string { return fmt.Sprint(n % 7) }, "repeated", 8},
		{"new tokens for nothing", 0, func(n int) string { return fmt.Sprint(n) }, "pages in a row were empty", maxEmptyPages},
		{"new tokens for ever", 1, func(n int) string { return fmt.Sprint(n) }, "more than 20000 pages", maxPages},
		{"a token of a megabyte", 1, func(int) string { return strings.Repeat("x", 1<<20) }, "too long", 1},
	} {
		t.Run(c.name, func(t *testing.T) {
			calls := 0
			var last error
			if n := allocated(func() {
				for _, err := range Pages(errRepeated, func(string) ([]byte, string, error) {
					calls++
					return make([]byte, c.items), c.token(calls), nil
				}) {
					last = err
				}
			}); n > 16<<20 {
				t.Errorf("%d MiB were allocated", n>>20)
			}
			if last == nil || !strings.Contains(last.Error(), c.want) || calls != c.pages {
				t.Errorf("after %d pages: %v, want %q after %d", calls, last, c.want, c.pages)
			}
		})
	}
}

// Pages that are empty now and then are no endless ones.
func TestSparsePages(t *testing.T) {
	calls, items := 0, 0
	for _, err := range Pages(errors.New("repeated"), func(string) ([]int, string, error) {
		calls++
		if calls == 3*maxEmptyPages {
			return []int{1}, "", nil
		}
		if calls%maxEmptyPages == 0 {
			return []int{1}, fmt.Sprint(calls), nil
		}
		return nil, fmt.Sprint(calls), nil
	}) {
		if err != nil {
			t.Fatal(err)
		}
		items++
	}
	if items != 3 {
		t.Errorf("%d items", items)
	}
}

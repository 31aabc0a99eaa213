package ecrsim

import (
	"bytes"
	"fmt"
	"net/http"
	"net/http/httptest"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"
)

func TestParseRoute(t *testing.T) {
	for path, want := range map[string]route{
		"/v2/":                                 {"base", "", ""},
		"/v2":                                  {"base", "", ""},
		"/v2/_catalog":                         {"catalog", "", ""},
		"/v2/app/manifests/v1":                 {"manifest", "app", "v1"},
		"/v2/a/blobs/b/manifests/sha256:ab":    {"manifest", "a/blobs/b", "sha256:ab"},
		"/v2/a/manifests/b/blobs/sha256:ab":    {"blob", "a/manifests/b", "sha256:ab"},
		"/v2/manifests/tags/list":              {"tags", "manifests", ""},
		"/v2/app/blobs/uploads/":               {"upload", "app", ""},
		"/v2/app/blobs/uploads/ID":             {"upload", "app", "ID"},
		"/v2/app/referrers/sha256:ab":          {"referrers", "app", "sha256:ab"},
		"/v1/app":                              {"unknown", "", ""},
		"/v2/app":                              {"unknown", "", ""},
		"/v2/manifests/x":                      {"unknown", "", ""},
		"/v2/team/referrers/x/manifests/v1.2_": {"manifest", "team/referrers/x", "v1.2_"},
	} {
		if got := parseRoute(path); got != want {
			t.Errorf("%s: %+v, want %+v", path, got, want)
		}
	}
}

// TestRangesAsNetHTTPHasThem compares with http.ServeContent, which follows the same RFC.
func TestRangesAsNetHTTPHasThem(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		content := bytes.Repeat([]byte("x"), rapid.IntRange(1, 20).Draw(t, "size"))
		first := rapid.StringMatching(`[0-9]{0,2}`).Draw(t, "first")
		last := rapid.StringMatching(`[0-9]{0,2}`).Draw(t, "last")
		spec := "bytes=" + first + "-" + last
		if first == "" && (last == "" || strings.Trim(last, "0") == "") {
			return // net/http refuses what S3 ignores
		}
		a, errA := strconv.Atoi(first)
		b, errB := strconv.Atoi(last)
		if errA == nil && errB == nil && b < a {
			return // the same
		}
		oracle := httptest.NewRecorder()
		req := httptest.NewRequest("GET", "/", nil)
		req.Header.Set("Range", spec)
		http.ServeContent(oracle, req, "", time.Time{}, bytes.NewReader(content))

		start, length, ok := parseRange(spec, int64(len(content)))
		switch oracle.Code {
		case http.StatusRequestedRangeNotSatisfiable:
			if ok {
				t.Fatalf("%s of %d was taken", spec, len(content))
			}
		case http.StatusPartialContent:
			want := oracle.Header().Get("Content-Range")
			if got := fmt.Sprintf("bytes %d-%d/%d", start, start+length-1, len(content)); !ok || got != want {
				t.Fatalf("%s: %s, want %s", spec, got, want)
			}
		}
	})
}

func TestPagesHoldEachItemOnce(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		items := rapid.SliceOfNDistinct(rapid.StringMatching(`[a-z]{1,3}`), 0, 40, rapid.ID[string]).Draw(t, "items")
		slices.Sort(items)
		limit := rapid.IntRange(1, 10).Draw(t, "limit")
		sparse := rapid.Bool().Draw(t, "sparse")
		keep := func(s string) bool { return s[0] < 'm' }
		key := func(s string) string { return s }
		want := slices.DeleteFunc(slices.Clone(items), func(s string) bool { return !keep(s) })

		got, p := []string{}, paging{MaxResults: &limit}
		for range 100 {
			out, next, err := page(items, p, 100, 1000, key, keep, sparse)
			if err != nil || len(out) > limit {
				t.Fatalf("page of %d: %v", len(out), err)
			}
			got = append(got, out...)
			if next == "" {
				if diff := cmp.Diff(want, got); diff != "" {
					t.Fatalf("pages (-want +got):\n%s", diff)
				}
				return
			}
			p.NextToken = next
		}
		t.Fatal("the pages do not end")
	})
}

func TestHosts(t *testing.T) {
	for region, want := range map[string]string{
		"us-east-1":      "123456789012.dkr.ecr.us-east-1.amazonaws.com",
		"cn-north-1":     "123456789012.dkr.ecr.cn-north-1.amazonaws.com.cn",
		"us-gov-west-1":  "123456789012.dkr.ecr.us-gov-west-1.amazonaws.com",
		"eusc-de-east-1": "123456789012.dkr.ecr.eusc-de-east-1.amazonaws.eu",
	} {
		r := New("123456789012", region, Options{})
		if r.Host() != want {
			t.Errorf("%s: %s, want %s", region, r.Host(), want)
		}
		if _, ok := r.Handlers()[want]; !ok {
			t.Errorf("%s: nothing serves %s", region, want)
		}
	}
}

func TestEpoch(t *testing.T) {
	at := time.Date(2026, 3, 1, 12, 0, 0, 250e6, time.UTC)
	if got, err := (epoch{at}).MarshalJSON(); err != nil || string(got) != "1772366400.25" {
		t.Errorf("%s, %v", got, err)
	}
}

func TestPrincipalOf(t *testing.T) {
	for arn, want := range map[string]string{
		"arn:aws:sts::1:assumed-role/migrator/session": "arn:aws:iam::1:role/migrator",
		"arn:aws:iam::1:user/u":                        "arn:aws:iam::1:user/u",
		"nonsense":                                     "nonsense",
	} {
		if got := principalOf(arn); got != want {
			t.Errorf("%s: %s, want %s", arn, got, want)
		}
	}
}

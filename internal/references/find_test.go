package references

import (
	"bytes"
	"slices"
	"strings"
	"testing"

	"transship/internal/ref"
)

// The registries of the tests: one of each partition that has forms of its own.
var (
	home  = ref.Registry{Account: "123456789012", Region: "us-east-1"}
	china = ref.Registry{Account: "210987654321", Region: "cn-north-1"}
)

const (
	h   = "123456789012.dkr.ecr.us-east-1.amazonaws.com"
	sum = "sha256:0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"
)

func finder() *Finder { return NewFinder(home, china) }

// found is what is found in a text, in short: the name, or with … behind it where that is open.
func found(text string) (out []string) {
	for r := range finder().Find([]byte(text)) {
		s := strings.TrimPrefix(r.String(), h+"/")
		if r.Open {
			s += "…"
		}
		out = append(out, s)
	}
	return out
}

func TestFind(t *testing.T) {
	t.Parallel()
	for text, want := range map[string][]string{
		// Fields of all kinds.
		"image: " + h + "/team/api:1.4.2\n":                             {"team/api:1.4.2"},
		"'" + h + "/team/api'":                                          {"team/api"},
		`"image":"` + h + `/team/api@` + sum + `"`:                      {"team/api@" + sum},
		h + "/team/api:1@" + sum:                                        {"team/api:1@" + sum},
		"FROM " + h + "/base AS build\r\n":                              {"base"},
		"image: " + h + "/a1:1 # {\"$imagepolicy\": \"x:y\"}":           {"a1:1"},
		"a=" + h + "/team/api:1," + h + "/team/web;" + h + "/x0":        {"team/api:1", "team/web", "x0"},
		"oci://" + h + "/charts/web":                                    {"charts/web"},
		"docker-pullable://" + h + "/team/api@" + sum:                   {"team/api@" + sum},
		"[" + h + "/team/api](https://" + h + "/team/api)":              {"team/api", "team/api"},
		"${IMAGE:-" + h + "/team/api:1}":                                {"team/api:1"},
		`"a\n` + h + `/team/api:1\n` + h + `/team/web\"`:                {"team/api:1", "team/web"},
		"<image>" + h + "/team/api:1</image><b>" + h + "/team/api</b>":  {"team/api:1", "team/api"},
		"**" + h + "/team/api**":                                        {"team/api"},
		"We use " + h + "/team/api. And " + h + "/team/web:1.2.":        {"team/api", "team/web:1.2"},
		h + "/docker-hub/library/redis:7":                               {"docker-hub/library/redis:7"},
		h + "/ghcr.io/x/y__z--1":                                        {"ghcr.io/x/y__z--1"},
		"api=" + h + "/team/api:~1.4, " + h + "/w1":                     {"team/api", "w1"},
		h + "/team/api:${TAG} " + h + "/team/api:v1-$SHA":               {"team/api", "team/api"},
		"\"" + h + "/team/api:{{ .Values.tag }}\"":                      {"team/api"},
		"\xff\xfe" + h + "/team/api\x80":                                {"team/api"},
		"123456789012.dkr.ecr-fips.us-east-1.amazonaws.com/team/api:1":  {"team/api:1"},
		"123456789012.dkr-ecr.us-east-1.on.aws/team/api:1":              {"team/api:1"},
		"123456789012.dkr-ecr-fips.us-east-1.on.aws/team/api:1":         {"team/api:1"},
		"210987654321.dkr.ecr.cn-north-1.amazonaws.com.cn/eu":           {china.Host() + "/eu"},
		"210987654321.dkr.ecr.cn-north-1.on.amazonwebservices.com.cn/e": nil, // one letter is no name

		// Only the beginning of a name.
		h + "/team/{{ .Values.c }}:1":                     {"team…"},
		h + "/team/api{{ .suffix }}:1":                    {"team/api…"},
		h + "/team/api-${ENV}":                            {"team/api…"},
		"\"" + h + "/team/\" + name":                      {"team…"},
		h + "/team/*":                                     {"team…"},
		h + "/team/api*":                                  {"team/api…"},
		h + "/team/Api":                                   {"team…"},
		h + "/team//api":                                  {"team…"},
		h + "/team/api%s":                                 {"team/api…"},
		h + "/" + strings.Repeat("a", 257):                {strings.Repeat("a", 256) + "…"},
		h + `/team\/api`:                                  {"team…"},
		h + "/team/api:" + strings.Repeat("v", 129):       {"team/api"},
		h + "/team/api@sha256:" + strings.Repeat("a", 63): {"team/api"},
		h + "/team/api:1@sha256:" + strings.Repeat("a", 65) + " x": {"team/api:1"},

		// Nothing.
		h: nil, h + "/": nil, h + "/${NAME}": nil, h + "/Team": nil, "": nil, ".dkr": nil, ".dkr.dkr.dkr": nil,
		"1" + h + "/team/api":                               nil,
		"x" + h + "/team/api":                               nil,
		"x." + h + "/team/api":                              nil,
		"$" + h + "/team/api":                               nil,
		"harbor.example.com/" + h + "/team/api":             nil,
		h + ".cn/team/api":                                  nil,
		h + "x/team/api":                                    nil,
		h + ":443/team/api":                                 nil,
		"602401143452" + h[12:] + "/amazon-k8s-cni":         nil,
		"123456789012.dkr.ecr.eu-west-1.amazonaws.com/x1":   nil,
		"arn:aws:ecr:us-east-1:123456789012:repository/x1":  nil,
		"aws ecr get-login-password | docker login " + h:    nil,
		"public.ecr.aws/x/y " + strings.ToUpper(h) + "/X/Y": nil,
	} {
		if got := found(text); !slices.Equal(got, want) {
			t.Errorf("%s\ngot  %q\nwant %q", text, got, want)
		}
	}
}

// FuzzFind holds what the one who edits relies on: spans that lie inside, in order, and say what was found; and what was
// found is found again, alone and in chunks.
func FuzzFind(f *testing.F) {
	for _, seed := range []string{
		h, h + "/team/api:1@" + sum, "x" + h + "/a1." + h + "/b2-" + h + "/c3", `"\n` + h + `/a/b\"`, h + "/a1:1.." + h, "-" + h + "/a-" + h + "/b",
		h + "/ab__c--d/e.f:${x}", "//" + h + "/ab*", strings.Repeat("a", 3000) + h + "/team/api:1 " + h + "/x" + strings.Repeat("-", 40) + "y",
	} {
		f.Add([]byte(seed), uint16(100))
	}
	f.Fuzz(func(t *testing.T, b []byte, size uint16) {
		var all []Reference
		end := 0
		for r := range finder().Find(b) {
			if r.Start < end || r.Start >= r.NameEnd || r.NameEnd > r.End || r.End > len(b) {
				t.Fatalf("the span of %+v is wrong: %d bytes, the last one ended at %d", r, len(b), end)
			}
			end = r.End
			all = append(all, r)
			if want := r.Repository.Registry.HostIn(r.Form) + "/" + r.Repository.Name; string(b[r.Start:r.NameEnd]) != want {
				t.Errorf("%q is not %q", b[r.Start:r.NameEnd], want)
			}
			if !ref.ValidRepositoryName(r.Repository.Name) {
				t.Errorf("%q is no name", r.Repository.Name)
			}
			if text := r.String(); !r.Open && r.Form == (ref.HostForm{}) && text != string(b[r.Start:r.End]) {
				t.Errorf("%q was read as %q", b[r.Start:r.End], text)
			}
			again := slices.Collect(finder().Find(b[r.Start:r.End]))
			if len(again) != 1 || again[0].Repository != r.Repository || !r.Open && again[0].Name != r.Name {
				t.Errorf("%q alone is %+v, not %+v", b[r.Start:r.End], again, r)
			}
		}
		var chunks []Reference
		if err := finder().scan(bytes.NewReader(b), maxReference+2*before+int(size), func(r Reference) { chunks = append(chunks, r) }); err != nil {
			t.Fatal(err)
		}
		if !slices.Equal(chunks, all) {
			t.Errorf("in chunks %+v\nwhole %+v", chunks, all)
		}
	})
}

func BenchmarkFind(b *testing.B) {
	text := []byte(strings.Repeat("spec:\n  containers:\n  - name: api\n    image: "+h+"/team/api:1.4.2\n    command: [serve]\n", 1000))
	b.SetBytes(int64(len(text)))
	for b.Loop() {
		n := 0
		for range finder().Find(text) {
			n++
		}
		if n != 1000 {
			b.Fatal(n)
		}
	}
}

package references

import (
	"slices"
	"strings"
	"testing"
)

func TestHosts(t *testing.T) {
	t.Parallel()
	text := "a " + h + "/team/api:1 b: '" + h + "'\nx" + h + " ${R:-602401143452.dkr.ecr.eu-west-1.amazonaws.com}/y " +
		"123456789012.dkr-ecr.us-east-1.on.aws. 123456789012.dkr.ecr.us-east-1.example.com 12345.dkr.ecr.us-east-1.amazonaws.com " +
		"123456789012.dkr.ecr.cn-north-1.amazonaws.com.cn/a/b https://" + h
	var got []string
	for found := range Hosts([]byte(text)) {
		got = append(got, text[found.Start:found.End])
	}
	want := []string{
		h, h, "602401143452.dkr.ecr.eu-west-1.amazonaws.com", "123456789012.dkr-ecr.us-east-1.on.aws",
		"123456789012.dkr.ecr.cn-north-1.amazonaws.com.cn", h,
	}
	if !slices.Equal(got, want) {
		t.Errorf("got  %q\nwant %q", got, want)
	}
}

func TestAfter(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]Continuation{
		"": Nothing, "/": Nothing, "'": Nothing, "/team/api": Literal, "/$x": Variable, "/{{ .x }}": Variable, "/%s": Variable,
		"/*": Variable, `\/team`: Escaped, "%2Fteam": Escaped, "/a": Nothing, "/<name>": Variable, ":443/team": Nothing, "/Team": Nothing,
	} {
		if got := After([]byte(text)); got != want {
			t.Errorf("%q is %d, not %d", text, got, want)
		}
	}
}

const prefix = "us-docker.pkg.dev/my-gcp-project/app-images"

func TestPaths(t *testing.T) {
	t.Parallel()
	p := NewPaths(prefix, prefix+"/nested", "gcr.io/my-gcp-project")
	text := "image: " + prefix + "/team/api:1.4.2\nx-" + prefix + "/team/web@" + sum + " gcr.io/my-gcp-project/x\neu.gcr.io/my-gcp-project/y " +
		prefix + "/team/{{ .x }} " + prefix + "/nested/a:1 " + prefix + " " + prefix + "/. " + prefix + "/$x"
	var got []string
	for found := range p.Find([]byte(text)) {
		s := strings.ReplaceAll(found.String(), prefix, "P")
		if found.Open {
			s += "…"
		}
		got = append(got, s)
	}
	want := []string{"P/team/api:1.4.2", "P/team/web@" + sum, "gcr.io/my-gcp-project/x", "P/team…", "P/nested/a:1", "P/…"}
	if !slices.Equal(got, want) {
		t.Errorf("got  %q\nwant %q", got, want)
	}
}

// FuzzHosts: whatever a text is, each reference of the Finder begins with one of the Hosts, and spans do not overlap.
func FuzzHosts(f *testing.F) {
	for _, seed := range []string{h, h + "/a/b", "x" + h, h + "." + h, "1" + h} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		starts, end := map[int]bool{}, 0
		for found := range Hosts(b) {
			if found.Start < end || found.End > len(b) {
				t.Fatalf("%+v overlaps", found)
			}
			starts[found.Start], end = true, found.End
		}
		for r := range finder().Find(b) {
			if !starts[r.Start] {
				t.Errorf("%q begins with no host", b[r.Start:r.End])
			}
		}
		end = 0
		for p := range NewPaths(prefix, "gcr.io/p").Find(b) {
			if p.Start < end || p.End > len(b) || p.NameEnd > p.End {
				t.Fatalf("%+v overlaps", p)
			}
			end = p.End
		}
	})
}

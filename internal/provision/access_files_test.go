package provision

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"transship/internal/governance/access"
	"transship/internal/ref"
)

const (
	policyA = `{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Principal":{"AWS":"arn:aws:iam::111122223333:role/deploy"},"Action":["ecr:BatchGetImage","ecr:GetDownloadUrlForLayer"]}]}`
	policyB = `{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Principal":{"AWS":["arn:aws:iam::111122223333:role/deploy","444455556666"]},"Action":["ecr:BatchGetImage","ecr:GetDownloadUrlForLayer"]}]}`
	name    = "us-my-gcp-project-app-images"
)

func input(policy string) access.Input {
	r := ref.Registry{Account: "123456789012", Region: "us-east-1"}
	return access.Input{Repositories: []access.Repository{{Source: r.Repository("app"), Target: images, Policy: policy}}}
}

// folder is one for access files.
type folder struct {
	*testing.T
	dir string
}

func (f folder) write(policy string) AccessFiles {
	f.Helper()
	out, _, err := WriteAccess(f.dir, input(policy))
	if err != nil {
		f.Fatal(err)
	}
	return out
}

func (f folder) path(name string) string { return filepath.Join(f.dir, name+".yaml") }

func (f folder) read(name string) string {
	b, err := os.ReadFile(f.path(name))
	if err != nil {
		return ""
	}
	return string(b)
}

func (f folder) edit(name, old, new string) {
	f.Helper()
	text := f.read(name)
	if !strings.Contains(text, old) {
		f.Fatalf("%s has no %q:\n%s", name, old, text)
	}
	if err := os.WriteFile(f.path(name), []byte(strings.Replace(text, old, new, 1)), 0o600); err != nil {
		f.Fatal(err)
	}
}

func (f folder) want(what string, got []string, names ...string) {
	f.Helper()
	var want []string
	for _, n := range names {
		want = append(want, f.path(n))
	}
	if !slices.Equal(want, got) {
		f.Errorf("%s: %q, want %q", what, got, want)
	}
}

func TestAccessFilesAreWrittenAndKept(t *testing.T) {
	f := folder{t, filepath.Join(t.TempDir(), "access")}
	r := f.write(policyA)
	f.want("written", r.Written, name, "principals")
	if r.Open != 1 || r.Ready != 0 || !strings.Contains(f.read("principals"), "role/deploy") {
		t.Errorf("%+v", r)
	}
	// A second time nothing is written.
	r = f.write(policyA)
	f.want("written again", r.Written)
	f.want("unchanged", r.Unchanged, name)

	// With a member the suggestion becomes ready, and what nobody changed is replaced.
	f.edit("principals", "    google:\n", "    google: user:a@example.com # ours\n")
	r = f.write(policyA)
	f.want("written with a member", r.Written, name)
	if r.Ready != 1 || !strings.Contains(f.read(name), "member: user:a@example.com") || !strings.Contains(f.read("principals"), "# ours") {
		t.Errorf("%+v\n%s", r, f.read(name))
	}

	// What somebody changed is left alone, quietly while the suggestion is the same.
	f.edit(name, "apply: true", "apply: false # not yet")
	r = f.write(policyA)
	f.want("unchanged, though edited", r.Unchanged, name)
	r = f.write(policyB)
	f.want("kept", r.Kept, name, "principals")
	f.want("written beside", r.Written)
	if !strings.Contains(f.read(name), "not yet") || !strings.Contains(f.read(name+".new"), "444455556666") || !strings.Contains(f.read("principals.new"), "google: user:a@example.com\n") {
		t.Errorf("new:\n%s\n%s", f.read(name+".new"), f.read("principals.new"))
	}
	// Once it is theirs again, what was beside it goes away; likewise for who stands for whom.
	if err := os.Rename(f.path("principals.new"), f.path("principals")); err != nil {
		t.Fatal(err)
	}
	r = f.write(policyA)
	f.want("unchanged in the end", r.Unchanged, name)
	if f.read(name+".new") != "" {
		t.Error("a suggestion that is no news stays beside the file")
	}
	if len(r.Dead) != 1 || !strings.Contains(r.Dead[0], "444455556666: no policy") {
		t.Errorf("dead: %q", r.Dead)
	}
	r = f.write("")
	f.want("stale", r.Stale, name)
}

func TestAccessFilesOfOthersAreNotTouched(t *testing.T) {
	f := folder{t, t.TempDir()}
	if err := os.WriteFile(f.path(name), []byte("mine: true\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(f.path("other"), []byte("mine: true\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	r := f.write(policyA)
	f.want("kept", r.Kept, name)
	f.want("stale", r.Stale)
	if f.read(name) != "mine: true\n" {
		t.Error("it was written over")
	}
	if err := os.WriteFile(f.path("principals"), []byte("principals:\n  - aws: nobody\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	before := f.read(name + ".new")
	_, _, err := WriteAccess(f.dir, input(policyB))
	if err == nil || !strings.Contains(err.Error(), f.path("principals")+": line 2: ") || f.read(name+".new") != before {
		t.Errorf("with a damaged file: %v", err)
	}
}

func TestReadAccess(t *testing.T) {
	f := folder{t, t.TempDir()}
	f.write(policyA)
	f.edit(name, `member: ""`, "member: user:a@example.com")
	f.edit(name, "apply: false", "apply: true")
	for _, names := range [][]string{{name}, {images.String()}, {" " + name, images.String()}} {
		got, err := ReadAccess(f.dir, names, false)
		if err != nil || len(got) != 1 || got[0].Name != name || got[0].Review.Repository != images || len(got[0].Review.Wanted) != 1 {
			t.Errorf("%q: %+v, %v", names, got, err)
		}
	}
	f.write(policyB) // puts another one beside it
	for wanted, want := range map[string]string{
		"nope": "there is no " + f.path("nope") + " (there are: " + name + ")", "": `"" is not the name of a file`, "..": "is not the name",
		"../" + name: "is not an Artifact Registry repository", "principals": "says who stands for whom", name + ".new": "put it in that one's place first",
		"us-docker.pkg.dev/my-gcp-project/other": "no file in " + f.dir + " is about us-docker.pkg.dev/my-gcp-project/other",
		images.String() + "/app":                 "names an image", ".hidden": "is not the name",
	} {
		if _, err := ReadAccess(f.dir, []string{wanted}, false); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%q: %v, want %q", wanted, err, want)
		}
	}
	f.edit(name, "user:a@example.com", "allUsers")
	if _, err := ReadAccess(f.dir, []string{name}, false); err == nil || !strings.Contains(err.Error(), f.path(name)+": line ") || !strings.Contains(err.Error(), "--allow-public") {
		t.Errorf("the public: %v", err)
	}
	if got, err := ReadAccess(f.dir, []string{name}, true); err != nil || got[0].Review.Wanted[0].Member != "allUsers" {
		t.Errorf("the public, allowed: %+v, %v", got, err)
	}
	if err := os.WriteFile(f.path("copy"), []byte(f.read(name)), 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := ReadAccess(f.dir, []string{images.String()}, true); err == nil || !strings.Contains(err.Error(), "several files") {
		t.Errorf("two files: %v", err)
	}
}

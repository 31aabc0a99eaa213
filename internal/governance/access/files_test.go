package access

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/rogpeppe/go-internal/txtar"
	"pgregory.net/rapid"

	"transship/internal/document"
	"transship/internal/ref"
)

func grantFor(target ref.TargetRepository, member, decide string) document.Grant {
	return document.Grant{
		Target: target, Role: RoleReader, Principal: "arn:aws:iam::111122223333:role/ci", Member: member, Decide: decide,
		Sources: []string{testSource("team/api").String()}, Actions: pulling.names(),
	}
}

// The files as people see them.
func TestFiles(t *testing.T) {
	a, err := txtar.ParseFile(filepath.Join("testdata", "files.txtar"))
	if err != nil {
		t.Fatal(err)
	}
	in, _ := goldenInput(t, &txtar.Archive{Files: a.Files[:3]})
	s := Suggest(in)
	got := &txtar.Archive{Comment: a.Comment, Files: a.Files[:3:3]}
	for _, f := range Files(s.Grants) {
		got.Files = append(got.Files, txtar.File{Name: f.Name + ".yaml", Data: f.Content})
		if r, err := ParseReview(f.Content, false); err != nil || r.Repository != testTarget || len(r.Wanted) != 1 || r.Left != 2 {
			t.Errorf("%+v, %v", r, err)
		}
	}
	got.Files = append(got.Files, txtar.File{Name: "principals.yaml, next", Data: PrincipalsFile(s.Principals, in.Principals)})
	if *update {
		if err := os.WriteFile(filepath.Join("testdata", "files.txtar"), txtar.Format(got), 0o600); err != nil {
			t.Fatal(err)
		}
		return
	}
	if diff := cmp.Diff(string(txtar.Format(a)), string(txtar.Format(got))); diff != "" {
		t.Errorf("-want +got:\n%s", diff)
	}
}

func TestFileNames(t *testing.T) {
	one := ref.TargetRepository{Location: "us", Project: "my-project", ID: "a-images"}
	other := ref.TargetRepository{Location: "us", Project: "my-project-a", ID: "images"}
	domain := ref.TargetRepository{Location: "europe-west3", Project: "example.com:my-project", ID: "apps"}
	var names []string
	for _, f := range Files([]document.Grant{grantFor(one, "", ""), grantFor(domain, "", ""), grantFor(other, "", "")}) {
		names = append(names, f.Name)
	}
	if len(names) != 3 || names[0] != "europe-west3-example.com_my-project-apps" || names[1] == names[2] ||
		!strings.HasPrefix(names[1], "us-my-project-a-images-") || !strings.HasPrefix(names[2], "us-my-project-a-images-") {
		t.Errorf("%q", names)
	}
	if f := Files([]document.Grant{grantFor(one, "", "")}); f[0].Name != "us-my-project-a-images" {
		t.Errorf("%q", f[0].Name)
	}
}

func TestWhatSomebodyChangedIsKnown(t *testing.T) {
	a := Files([]document.Grant{grantFor(testTarget, "user:a@example.com", "")})[0].Content
	b := Files([]document.Grant{grantFor(testTarget, "user:b@example.com", "")})[0].Content
	edited := []byte(strings.Replace(string(a), "apply: true", "apply: false", 1))
	if !Untouched(a) || Untouched(edited) || Untouched([]byte("repository: x\n")) || !Ours(edited) || Ours([]byte("x")) {
		t.Error("what was changed is not told from what was not")
	}
	if !SameOrigin(a, edited) || SameOrigin(a, b) || SameOrigin([]byte("x"), []byte("x")) {
		t.Error("what a file was made of is not told")
	}
}

func TestParseReviewRefuses(t *testing.T) {
	const head = "repository: us-docker.pkg.dev/my-gcp-project/app-images\ngrants:\n"
	for name, c := range map[string]struct{ text, want string }{
		"nothing":              {"", "it is empty"},
		"another list":         {"- a\n", "line 1: this is not keys"},
		"no repository":        {"grants: []\n", "it has no repository"},
		"an image":             {"repository: us-docker.pkg.dev/my-gcp-project/app-images/x\n", "names an image"},
		"a repository of ECR":  {"repository: 123456789012.dkr.ecr.us-east-1.amazonaws.com/x\n", "line 1: "},
		"an unknown key":       {head + "  - role: x\n    condition: y\n", `line 4: unknown key "condition"`},
		"no apply":             {head + "  - role: " + RoleReader + "\n    member: user:a@example.com\n", "line 3: apply is missing"},
		"apply in words":       {head + "  - role: " + RoleReader + "\n    apply: yes please\n", "line 4: apply is neither"},
		"apply in quotes":      {head + "  - role: " + RoleReader + "\n    apply: \"true\"\n", "line 4: apply is neither"},
		"no member":            {head + "  - role: " + RoleReader + "\n    member: \"\"\n    apply: true\n", "there is no member"},
		"a placeholder":        {head + "  - role: " + RoleReader + "\n    member: user:NAME@DOMAIN\n    apply: true\n", "placeholders"},
		"another role":         {head + "  - role: roles/owner\n    member: user:a@example.com\n    apply: true\n", `"roles/owner" is not a role that is given here`},
		"an administrator":     {head + "  - role: roles/artifactregistry.admin\n    member: user:a@example.com\n    apply: true\n", "is not a role that is given here"},
		"the public":           {head + "  - role: " + RoleReader + "\n    member: allUsers\n    apply: true\n", "--allow-public"},
		"a role that is a map": {head + "  - role: {}\n    apply: true\n", "this is not a text"},
	} {
		if _, err := ParseReview([]byte(c.text), false); err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: %v, want %q", name, err, c.want)
		}
	}
	if _, err := ParseReview([]byte(head+"  - role: "+RoleWriter+"\n    member: allUsers\n    apply: true\n"), true); err == nil {
		t.Error("the public may write")
	}
}

// Whatever stands in a grant, its file says that and nothing else.
func TestFilesSayWhatTheGrantsSay(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		g := grantFor(testTarget, rapid.SampledFrom([]string{"user:a@example.com", "", "group:x@example.com"}).Draw(t, "member"), rapid.String().Draw(t, "decide"))
		g.Principal = rapid.String().Draw(t, "principal")
		g.Sources = []string{rapid.String().Draw(t, "source")}
		if g.Member == "" && g.Decide == "" {
			g.Decide = "who?"
		}
		content := Files([]document.Grant{g})[0].Content
		r, err := ParseReview(content, false)
		if err != nil {
			t.Fatalf("%v in\n%s", err, content)
		}
		if applied := g.Decide == ""; applied != (len(r.Wanted) == 1) || applied && r.Wanted[0] != (Wish{RoleReader, g.Member}) || !Untouched(content) {
			t.Fatalf("%+v of %+v", r, g)
		}
		if repository, ok := About(content); !ok || repository != testTarget {
			t.Fatal(repository)
		}
	})
}

func FuzzParseReview(f *testing.F) {
	f.Add(Files([]document.Grant{grantFor(testTarget, "user:a@example.com", "")})[0].Content)
	f.Add([]byte("repository: us-docker.pkg.dev/my-gcp-project/app-images\ngrants: [{role: a, apply: false}]"))
	f.Fuzz(func(t *testing.T, b []byte) {
		r, err := ParseReview(b, false)
		if err != nil {
			if strings.Contains(err.Error(), "\n") {
				t.Errorf("message %q", err)
			}
			return
		}
		for _, w := range r.Wanted {
			if checkGrant(w.Role, w.Member, false) != nil {
				t.Errorf("%+v", w)
			}
		}
	})
}

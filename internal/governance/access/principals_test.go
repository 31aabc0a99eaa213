package access

import (
	"slices"
	"strings"
	"testing"
)

func TestParsePrincipalsRefuses(t *testing.T) {
	one := func(aws, google string) string {
		return "principals:\n  - aws: " + aws + "\n    google: " + google + "\n"
	}
	role := "arn:aws:iam::111122223333:role/ci"
	for name, c := range map[string]struct{ text, want string }{
		"no YAML":                {"principals: [", "did not find"},
		"no mapping":             {"- a", "line 1: this is not keys with values"},
		"an unknown key":         {"principal: []", `line 1: unknown key "principal" (known: principals)`},
		"an unknown key inside":  {"principals:\n  - aws: x\n    gcp: y", `line 3: unknown key "gcp" (known: aws, google)`},
		"a key twice":            {"principals: []\nprincipals: []", "twice"},
		"no list":                {"principals: x", "line 1: this is not a list"},
		"no aws":                 {"principals:\n  - google: user:a@example.com", "line 2: aws is missing"},
		"everybody":              {one(`"*"`, "group:a@example.com"), "would be everybody"},
		"nobody that is known":   {one("somebody", "group:a@example.com"), `"somebody" is no principal`},
		"a deleted one":          {one("AROAEXAMPLEID12345678", "group:a@example.com"), "is no principal that a member can stand for"},
		"the same twice":         {one("111122223333", "") + "  - aws: arn:aws:iam::111122223333:root\n", "line 4: there is another entry for 111122223333"},
		"no member":              {one(role, "ci"), `line 3: "ci" is no member`},
		"no e-mail":              {one(role, "user:ci"), "what is behind user: has another form"},
		"a deleted member":       {one(role, "deleted:user:a@example.com?uid=1"), "is no member"},
		"a role of the project":  {one(role, "projectOwner:my-gcp-project"), "is no member"},
		"the public":             {one(role, "allUsers"), "allUsers is the public: pass --allow-public"},
		"nearly the public":      {one(role, "allAuthenticatedUsers"), "is the public"},
		"placeholders":           {one(role, "principalSet://iam.googleapis.com/projects/PROJECT_NUMBER/locations/global/workloadIdentityPools/POOL/*"), "placeholders"},
		"a pool of others":       {one(role, "principalSet://example.com/projects/1"), "has another form"},
		"a member twice":         {one(role, "[user:a@example.com, user:a@example.com]"), "is there twice"},
		"members that are lists": {one(role, "[[user:a@example.com]]"), "this is not a text"},
		"an anchor":              {"principals: &x\n  - aws: *x", "anchors and aliases"},
		"two documents":          {"principals: []\n---\nprincipals: []", "second document"},
		"a line break":           {one(role, `"user:a@example.com\nuser:b@example.com"`), "line breaks"},
	} {
		if _, err := ParsePrincipals([]byte(c.text), false); err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: %v, want %q", name, err, c.want)
		}
	}
}

func TestMembers(t *testing.T) {
	for _, m := range []string{
		"user:a.b+c@example.com", "group:x@example.com", "serviceAccount:ci@my-gcp-project.iam.gserviceaccount.com", "domain:example.com",
		"serviceAccount:my-gcp-project.svc.id.goog[team/app]", "serviceAccount:ci@my-project.example.com.iam.gserviceaccount.com",
		"principalSet://iam.googleapis.com/projects/123/locations/global/workloadIdentityPools/aws/attribute.aws_role/arn:aws:sts::111122223333:assumed-role/ci",
		"principal://iam.googleapis.com/projects/123/locations/global/workloadIdentityPools/aws/subject/arn:aws:iam::111122223333:user/bob",
		"principalSet://cloudresourcemanager.googleapis.com/projects/123/type/ServiceAccount",
	} {
		if err := checkMember(m, false); err != nil {
			t.Errorf("%s: %v", m, err)
		}
	}
	for _, m := range []string{"", "user:", "allUsers ", "ALLUSERS", "user:a@b", "user:a@example.com ", "group:a b@example.com", "domain:x@example.com", "principal:x"} {
		if err := checkMember(m, false); err == nil {
			t.Errorf("%q was taken", m)
		}
	}
	if checkMember("allUsers", true) != nil || checkGrant(RoleWriter, "allUsers", true) == nil || checkGrant(RoleReader, "allUsers", true) != nil {
		t.Error("the public: reader with the option, and never more")
	}
	if checkGrant("roles/artifactregistry.admin", "user:a@example.com", true) == nil || checkGrant("roles/owner", "user:a@example.com", true) == nil {
		t.Error("a role that is never given was taken")
	}
}

func TestTheFirstEntryThatMatchesCounts(t *testing.T) {
	ps, err := ParsePrincipals([]byte(`principals:
  - aws: 111122223333 # a number in YAML
    google: group:all@example.com
  - aws: arn:aws:iam::111122223333:role/ci-?
    google: [group:a@example.com, "group:b@example.com"]
  - aws: arn:aws:iam::*:role/ci-*
    google: group:c@example.com
  - aws: lambda.amazonaws.com
    google:
`), false)
	if err != nil {
		t.Fatal(err)
	}
	for id, want := range map[string]string{
		"arn:aws:iam::111122223333:root": "group:all@example.com", "arn:aws:iam::111122223333:role/ci-1": "group:a@example.com group:b@example.com",
		"arn:aws:iam::444455556666:role/ci-22": "group:c@example.com", "arn:aws:iam::111122223333:user/x": "", "lambda.amazonaws.com": "",
	} {
		if got := strings.Join(ps.Members(findPrincipal(id)), " "); got != want {
			t.Errorf("%s: %q, want %q", id, got, want)
		}
	}
	found := []Principal{findPrincipal("lambda.amazonaws.com"), findPrincipal("arn:aws:iam::111122223333:role/ci-1")}
	if !ps.Covers(found) || ps.Covers(append(found, findPrincipal("arn:aws:iam::111122223333:user/x"))) {
		t.Error("covers")
	}
	if dead := ps.dead(found); len(dead) != 2 || !strings.Contains(dead[0], "principals.yaml:2: 111122223333: no policy") || !strings.Contains(dead[1], "line 4 comes first") {
		t.Errorf("dead: %q", dead)
	}
	for _, empty := range []string{"", "# nothing\n", "principals:\n", "---\n"} {
		if ps, err := ParsePrincipals([]byte(empty), false); err != nil || len(ps.entries) != 0 {
			t.Errorf("%q: %v", empty, err)
		}
	}
}

// What is read survives being written and read again, and never makes a member of what is none.
func FuzzParsePrincipals(f *testing.F) {
	f.Add([]byte("principals:\n  - aws: arn:aws:iam::111122223333:role/ci\n    google: [user:a@example.com]\n"), false)
	f.Add([]byte("principals: &a [*a]\n"), true)
	f.Add([]byte("principals:\n- aws: 0123\n  google: ~\n"), true)
	f.Fuzz(func(t *testing.T, b []byte, public bool) {
		ps, err := ParsePrincipals(b, public)
		if err != nil {
			if strings.Contains(err.Error(), "\n") {
				t.Errorf("message %q", err)
			}
			return
		}
		var found []Principal
		for _, e := range ps.entries {
			for _, m := range e.members {
				if checkMember(m, public) != nil {
					t.Errorf("member %q", m)
				}
			}
			if p := findPrincipal(e.aws); p.nameable() {
				found = append(found, p)
			}
		}
		again, err := ParsePrincipals(PrincipalsFile(found, ps), public)
		if err != nil {
			t.Fatal(err)
		}
		for _, p := range found {
			if !slices.Equal(again.Members(p), ps.Members(p)) {
				t.Errorf("%s: %q, then %q", p.ID, ps.Members(p), again.Members(p))
			}
		}
	})
}

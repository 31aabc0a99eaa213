package access

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"transship/internal/document"
	"transship/internal/ref"
)

// rule is a statement as the test knows it, from which the policy's text is made.
type rule struct {
	allow, not, conditional bool
	who                     []string
	actions                 []string
}

var (
	people = []string{
		"arn:aws:iam::111122223333:role/ci", "arn:aws:iam::111122223333:user/bob", "111122223333",
		"arn:aws:sts::111122223333:assumed-role/ci/7", "444455556666", "*",
	}
	words = []string{
		"ecr:BatchGetImage", "ecr:GetDownloadUrlForLayer", "ecr:PutImage", "ecr:UploadLayerPart", "ecr:InitiateLayerUpload", "ecr:CompleteLayerUpload",
		"ecr:BatchDeleteImage", "ecr:ListImages", "ecr:SetRepositoryPolicy", "ecr:*", "*", "ecr:Batch*", "ecr:*Layer*", "s3:*", "ecr:ReplicateImage",
	}
)

func rules() *rapid.Generator[[]rule] {
	return rapid.SliceOfN(rapid.Custom(func(t *rapid.T) rule {
		often := func(name string, n int) bool { return rapid.IntRange(0, n).Draw(t, name) > 0 }
		return rule{
			allow: often("allow", 3), not: !often("plain", 6), conditional: !often("always", 5),
			who:     rapid.SliceOfNDistinct(rapid.SampledFrom(people), 1, 3, rapid.ID[string]).Draw(t, "who"),
			actions: rapid.SliceOfNDistinct(rapid.SampledFrom(words), 1, 6, rapid.ID[string]).Draw(t, "actions"),
		}
	}), 0, 4)
}

func policyText(rules []rule) string {
	if len(rules) == 0 {
		return ""
	}
	list := []map[string]any{}
	for _, r := range rules {
		s := map[string]any{"Effect": "Deny", "Action": r.actions}
		if r.allow {
			s["Effect"] = "Allow"
		}
		s["Principal"] = map[string]any{"AWS": r.who}
		if r.not {
			s["NotPrincipal"] = s["Principal"]
			delete(s, "Principal")
		}
		if r.conditional {
			s["Condition"] = map[string]any{"StringEquals": map[string]any{"aws:PrincipalOrgID": "o-1"}}
		}
		list = append(list, s)
	}
	b, _ := json.Marshal(map[string]any{"Version": "2012-10-17", "Statement": list})
	return string(b)
}

// mayAlways is the oracle: it says whether somebody may do something for certain, by rules that allow it always and to
// them, and by none that could deny it.
func mayAlways(rules []rule, who, action string) bool {
	says := func(r rule) bool {
		return slices.ContainsFunc(r.actions, func(a string) bool {
			return a == "*" || a == action || strings.HasSuffix(a, "*") && strings.HasPrefix(action, strings.TrimSuffix(a, "*")) ||
				a == "ecr:*Layer*" && strings.Contains(action, "Layer")
		})
	}
	allowed := false
	for _, r := range rules {
		if !says(r) {
			continue
		}
		exactly := slices.Contains(r.who, who) || slices.Contains(r.who, "*")
		switch {
		case r.allow && !r.not && !r.conditional:
			allowed = allowed || exactly
		case r.allow:
		case r.not:
			spared := slices.Contains(r.who, "*") || who == "111122223333" && exactly || who == "444455556666" && exactly ||
				strings.Contains(who, ":user/") && exactly && slices.Contains(r.who, "111122223333")
			if !spared {
				return false
			}
		case exactly, who == "*", slices.ContainsFunc(r.who, func(o string) bool { return related(o, who) }):
			return false
		}
	}
	return allowed
}

// related reports whether one of two different people may be the other.
func related(a, b string) bool {
	const account, role, session = "111122223333", "arn:aws:iam::111122223333:role/ci", "arn:aws:sts::111122223333:assumed-role/ci/7"
	in := func(s string) bool { return strings.Contains(s, ":"+account+":") }
	return a == account && in(b) || b == account && in(a) || a == role && b == session || a == session && b == role
}

var needs = map[power][]string{
	pull:   {"ecr:BatchGetImage", "ecr:GetDownloadUrlForLayer"},
	push:   {"ecr:PutImage", "ecr:UploadLayerPart", "ecr:InitiateLayerUpload", "ecr:CompleteLayerUpload"},
	remove: {"ecr:BatchDeleteImage"},
}

// A grant about which nobody has to decide never allows more, on any repository that is mapped to its target, than what
// statements allow always and nothing denies. Whatever is decided, the public only reads, and nobody administrates.
func TestAGrantIsNeverWiderThanThePolicies(t *testing.T) {
	var known strings.Builder
	known.WriteString("principals:\n")
	for i, p := range people[:len(people)-1] {
		fmt.Fprintf(&known, "  - aws: %q\n    google: user:u%d@example.com\n", p, i)
	}
	principals, err := ParsePrincipals([]byte(known.String()), false)
	if err != nil {
		t.Fatal(err)
	}
	free := 0
	rapid.Check(t, func(t *rapid.T) {
		in := Input{Principals: principals, AllowPublic: rapid.Bool().Draw(t, "public")}
		of := map[string][]rule{}
		for i := range rapid.IntRange(1, 3).Draw(t, "repositories") {
			name := fmt.Sprintf("r%d", i)
			of[name] = rules().Draw(t, name)
			if i > 0 && rapid.Bool().Draw(t, "alike") {
				of[name] = of["r0"]
			}
			in.Repositories = append(in.Repositories, Repository{Source: testSource(name), Target: testTarget, Policy: policyText(of[name])})
		}
		if rapid.IntRange(0, 3).Draw(t, "registry") == 0 { // whatever it allows has to be decided about
			in.Registries = []Registry{{Source: testRegistry, Policy: policyText(rules().Draw(t, "of the registry"))}}
		}
		s := Suggest(in)
		for _, g := range s.Grants {
			if rung(g.Role) < 0 || g.Principal == "*" && (g.Role != RoleReader || !in.AllowPublic) || public(g.Member) != (g.Principal == "*") || len(g.Sources) == 0 {
				t.Fatalf("%+v", g)
			}
			if g.Decide != "" {
				continue
			}
			free++
			for name, rules := range of {
				for p, actions := range needs {
					for _, a := range actions {
						if powers(rung(g.Role))&p != 0 && !mayAlways(rules, g.Principal, a) {
							t.Fatalf("%s has %s, and may not %s on %s:\n%s", g.Principal, g.Role, a, name, policyText(rules))
						}
					}
				}
			}
		}
		complete(t, in, s)
	})
	if free == 0 {
		t.Error("nothing was suggested at all")
	}
}

// complete sees that something is said of every statement.
func complete(t *rapid.T, in Input, s Suggestions) {
	for _, r := range in.Repositories {
		p, err := ParsePolicy(r.Policy)
		if r.Policy == "" {
			continue
		}
		if err != nil {
			t.Fatal(err)
		}
		for i := range p.Statements {
			if !slices.ContainsFunc(s.Repositories[r.Source], func(tr document.Translation) bool { return tr.Item == fmt.Sprintf("statement %d", i+1) }) {
				t.Fatalf("nothing is said of statement %d of\n%s", i+1, r.Policy)
			}
		}
	}
	for _, ts := range s.Repositories {
		for _, tr := range ts {
			if tr.Fate == document.FateRefused && (tr.Reason == "" || tr.Decide == "") || tr.Was == "" {
				t.Fatalf("%+v", tr)
			}
		}
	}
}

// Suggestions do not depend on the order in which anything was read.
func TestSuggestionsAreStable(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		in := Input{}
		for i := range 3 {
			in.Repositories = append(in.Repositories, Repository{Source: testSource(fmt.Sprint("r", i)), Target: testTarget, Policy: policyText(rules().Draw(t, "rules"))})
		}
		turned := in
		turned.Repositories = slices.Clone(in.Repositories)
		slices.Reverse(turned.Repositories)
		if a, b := shown(Suggest(in)), shown(Suggest(turned)); a != b {
			t.Fatalf("%s\n---\n%s", a, b)
		}
	})
}

// Hundreds of repositories in one target, with as many principals, are no trouble.
func TestManyRepositories(t *testing.T) {
	in := Input{}
	for i := range 600 {
		policy := policyText([]rule{{allow: true, who: []string{fmt.Sprintf("arn:aws:iam::111122223333:role/r%d", i%300), "111122223333"}, actions: words[:2]}})
		in.Repositories = append(in.Repositories, Repository{Source: testSource(fmt.Sprint("team/r", i)), Target: testTarget, Policy: policy})
	}
	s := Suggest(in)
	if len(s.Grants) != 301 {
		t.Errorf("%d grants", len(s.Grants))
	}
	if f := Files(s.Grants); len(f) != 1 || len(f[0].Content) > 2<<20 {
		t.Errorf("%d files", len(f))
	}
	if in.Repositories[0].Source != (ref.Repository{Registry: testRegistry, Name: "team/r0"}) {
		t.Error("the input was changed")
	}
}

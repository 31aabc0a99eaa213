package lifecycle

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"transship/internal/governance/image"
)

// policyOf is a policy of those selections and actions, each "selection|action", with the priorities 1, 2, …
func policyOf(rules ...string) string {
	texts := make([]string, len(rules))
	for i, r := range rules {
		selection, action, _ := strings.Cut(r, "|")
		if action == "" {
			action = `"type":"expire"`
		}
		texts[i] = fmt.Sprintf(`{"rulePriority":%d,"selection":{%s},"action":{%s}}`, i+1, selection, action)
	}
	return `{"rules":[` + strings.Join(texts, ",") + `]}`
}

const (
	age14    = `"countType":"sinceImagePushed","countUnit":"days","countNumber":14`
	untagged = `"tagStatus":"untagged",` + age14
	anyAge   = `"tagStatus":"any",` + age14
	archive  = `"type":"transition","targetStorageClass":"archive"`
)

func tagged(list string) string { return `"tagStatus":"tagged",` + list + "," + age14 }

func TestParseRefuses(t *testing.T) {
	for text, want := range map[string]string{
		``:                            "no JSON object",
		`[]`:                          "no JSON object",
		`null`:                        "no JSON object",
		`{} {}`:                       "no JSON object",
		`{"rules" 1}`:                 "no JSON object",
		`{"rules":1 "a":2}`:           "no JSON object",
		`{"rules":}`:                  "no JSON object",
		`{1:2}`:                       "no JSON object",
		`{"rules":[{}]`:               "no JSON object",
		`{`:                           "no JSON object",
		`{}`:                          `no list of "rules"`,
		`{"rules":[]}`:                `no list of "rules"`,
		`{"rules":{}}`:                `no list of "rules"`,
		`{"Rules":[{}]}`:              `no list of "rules"`,
		`{"rules":[{}],"rules":[{}]}`: `two fields "rules"`,
		`{"rules":["` + strings.Repeat("é", MaxText) + `"]}`: "no more than 30720",
	} {
		if _, err := Parse(text); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%.60s: %v, not %q", text, err, want)
		}
	}
}

func TestParsePolicyProblems(t *testing.T) {
	many := strings.Split(strings.Repeat(untagged+"\n", MaxRules+1), "\n")[:MaxRules+1]
	for text, want := range map[string]string{
		`{"rules":[{}],"version":2}`:                         `"version"`,
		policyOf(many...):                                    "51 rules",
		policyOf(anyAge, untagged):                           "Rule 1 selects any image and is not the last one.",
		strings.ReplaceAll(policyOf(untagged), `:1,`, `:0,`): "positive",
		strings.ReplaceAll(policyOf(untagged, anyAge), `"rulePriority":2`, `"rulePriority":1`): "the priority 1",
	} {
		p, err := Parse(text)
		if err != nil || !strings.Contains(strings.Join(p.Problems, " "), want) {
			t.Errorf("%.80s: %v, %q; not %q", text, err, p.Problems, want)
		}
		now := time.Now()
		for _, v := range Evaluate(p, []image.Image{{PushedAt: now.AddDate(-9, 0, 0)}}, now) {
			if v.Expires != image.Never {
				t.Errorf("%.80s: an image expires", text)
			}
		}
	}
}

func TestParseRuleProblems(t *testing.T) {
	for _, c := range []struct {
		rule, want string
		blind      bool
	}{
		{untagged, "", false},
		{anyAge, "", false},
		{tagged(`"tagPrefixList":["prod"]`), "", false},
		{tagged(`"tagPatternList":["*test*1*2*3","test*1*2*3*"]`), "", false},
		{`"tagStatus":"any","storageClass":"standard",` + age14 + "|" + archive, "", false},
		{tagged(`"tagPatternList":["test*1*2*3*4*5*6"]`), "more than 4 *", true},
		{tagged(`"tagPatternList":[]`), "no list", true},
		{tagged(`"tagPatternList":[""]`), "no list", true},
		{tagged(`"tagPatternList":"prod*"`), "no list", true},
		{tagged(`"tagPatternList":null`), "no list", true},
		{tagged(`"tagPrefixList":["prod*"]`), "has a *", true},
		{tagged(`"tagPrefixList":["a"],"tagPatternList":["a*"]`), "both", true},
		{`"tagStatus":"tagged",` + age14, "neither", true},
		{`"tagStatus":"untagged","tagPrefixList":["a"],` + age14, "does not select tagged", true},
		{`"tagStatus":"signed",` + age14, `"signed"; known are tagged, untagged, any`, true},
		{`"tagStatus":1,` + age14, "no text", true},
		{age14, `"tagStatus" is ""`, true},
		{`"platform":"arm64",` + untagged, `"platform"`, true},
		{`"TagStatus":"any",` + untagged, `"TagStatus"`, true},
		{`"tagStatus":"any",` + untagged, `two fields "tagStatus"`, true},
		{`"storageClass":"cold",` + untagged, `"cold"`, true},
		{`"tagStatus":"untagged","countType":"sinceImageScanned","countUnit":"days","countNumber":1`, "sinceImageScanned", false},
		{`"tagStatus":"untagged","countType":"imageCountMoreThan","countUnit":"days","countNumber":1`, "countUnit", false},
		{`"tagStatus":"untagged","countType":"sinceImagePushed","countUnit":"weeks","countNumber":1`, "weeks", false},
		{`"tagStatus":"untagged","countType":"sinceImagePushed","countNumber":1`, "countUnit", false},
		{`"tagStatus":"untagged","countType":"imageCountMoreThan","countNumber":0`, "positive", false},
		{`"tagStatus":"untagged","countType":"imageCountMoreThan","countNumber":1.5`, "positive", false},
		{`"tagStatus":"untagged","countType":"imageCountMoreThan","countNumber":"10"`, "positive", false},
		{`"tagStatus":"untagged","countType":"imageCountMoreThan","countNumber":99999999999`, "positive", false},
		{`"tagStatus":"untagged","countType":"imageCountMoreThan"`, "positive", false},
		{`"tagStatus":"any","countType":"sinceImagePulled","countUnit":"days","countNumber":90`, "last pull", false},
		{`"tagStatus":"any","storageClass":"archive",` + age14, "does not count from the archiving", false},
		{`"tagStatus":"any","countType":"sinceImageTransitioned","countUnit":"days","countNumber":90`, "does not select the archive", false},
		{`"tagStatus":"any","storageClass":"archive","countType":"sinceImageTransitioned","countUnit":"days","countNumber":89`, "fewer than 90", false},
		{`"tagStatus":"any","storageClass":"archive","countType":"sinceImageTransitioned","countUnit":"days","countNumber":90|` + archive, "is archived", false},
		{untagged + `|"type":"delete"`, `"delete"; known are expire, transition`, false},
		{untagged + `|"type":"transition"`, "targetStorageClass", false},
		{untagged + `|"type":"transition","targetStorageClass":"glacier"`, "glacier", false},
		{untagged + `|"type":"expire","targetStorageClass":"archive"`, "does not archive", false},
		{untagged + `|"type":"expire","after":1`, `"after"`, false},
	} {
		p, err := Parse(policyOf(c.rule))
		if err != nil {
			t.Errorf("%s: %v", c.rule, err)
			continue
		}
		r := p.Rules[0]
		if (c.want == "") != (r.Problem == "") || !strings.Contains(r.Problem, c.want) || r.Blind != c.blind {
			t.Errorf("%s: %q, blind %v; not %q, %v", c.rule, r.Problem, r.Blind, c.want, c.blind)
		}
	}
}

func TestParseTwins(t *testing.T) {
	p, err := Parse(policyOf(tagged(`"tagPrefixList":["a","b"]`), tagged(`"tagPatternList":["b*","a**"]`),
		`"tagStatus":"any",`+age14+"|"+archive,
		`"tagStatus":"any","storageClass":"archive","countType":"sinceImageTransitioned","countUnit":"days","countNumber":90`))
	if err != nil || len(p.Problems) > 0 {
		t.Fatal(err, p.Problems)
	}
	for i, want := range []bool{false, true, false, false} {
		if got := p.Rules[i].Problem != ""; got != want {
			t.Errorf("rule %d: %q", i+1, p.Rules[i].Problem)
		}
	}
}

func TestParseRulesThatAreNone(t *testing.T) {
	p, err := Parse(`{"rules":[1,null,{"rulePriority":3,"selection":{},"action":{}},{"rulePriority":4},{"rulePriority":5,"more":1}]}`)
	if err != nil {
		t.Fatal(err)
	}
	for _, r := range p.Rules {
		if r.Problem == "" || !r.Blind {
			t.Errorf("%+v", r)
		}
	}
}

func TestPattern(t *testing.T) {
	for _, c := range []struct {
		p    Pattern
		tag  string
		want bool
	}{
		{"prod*", "prod", true}, {"prod*", "production-team1", true}, {"prod*", "my-prod", false},
		{"*prod*", "repo-production", true}, {"*prod*", "prod-team", true}, {"*prod*", "pro", false},
		{"v1", "v1", true}, {"v1", "v10", false}, {"*", "x", true},
		{"*-rc", "1-rc", true}, {"*-rc", "1-rc2", false}, {"a*a", "a", false}, {"a*a", "aa", true},
		{"*test*1*2*3", "my-test-1-2-3", true}, {"*test*1*2*3", "my-test-1-3-2", false}, {"a*b*c", "abcbc", true},
	} {
		if got := c.p.Match(c.tag); got != c.want {
			t.Errorf("%s, %s: %v", c.p, c.tag, got)
		}
	}
	for _, c := range []struct {
		p, o Pattern
		want bool
	}{
		{"prod*", "prod-eu*", true}, {"prod*", "prod", true}, {"prod-eu*", "prod*", false},
		{"*", "*x*y", true}, {"*prod*", "a-prod-*", true}, {"a*", "*a", false}, {"v1", "v1*", false},
	} {
		if got := c.p.Follows(c.o); got != c.want {
			t.Errorf("%s of %s: %v", c.p, c.o, got)
		}
	}
	for p, want := range map[Pattern]bool{"a*": true, "*": true, "a": false, "": false, "*a": false, "a*b*": false} {
		if p.Prefix() != want {
			t.Errorf("%s: %v", p, !want)
		}
	}
}

func TestWords(t *testing.T) {
	p, err := Parse(policyOf(
		tagged(`"tagPrefixList":["a","b"]`),
		`"tagStatus":"tagged","tagPatternList":["*-rc"],"countType":"imageCountMoreThan","countNumber":9999`,
		`"tagStatus":"untagged","countType":"sinceImagePushed","countUnit":"days","countNumber":1`,
		`"tagStatus":"any","countType":"sinceImagePulled","countUnit":"days","countNumber":90|`+archive,
		`"tagStatus":"any","storageClass":"archive","countType":"sinceImageTransitioned","countUnit":"days","countNumber":365`,
		`"tagStatus":"never"`))
	if err != nil {
		t.Fatal(err)
	}
	for i, want := range []string{
		"delete images tagged a* and b* older than 14 days",
		"of images tagged *-rc keep the newest 9,999, delete the rest",
		"delete untagged images older than 1 day",
		"archive all images not pulled for 90 days",
		"delete all images archived for more than 365 days",
		"a rule that is not understood",
	} {
		if got := p.Rules[i].Words(); got != want {
			t.Errorf("%q, not %q", got, want)
		}
	}
}

func FuzzParse(f *testing.F) {
	for _, text := range []string{
		policyOf(untagged, tagged(`"tagPatternList":["a*b","*"]`), anyAge),
		policyOf(anyAge+"|"+archive, `"tagStatus":"any","storageClass":"archive","countType":"sinceImageTransitioned","countUnit":"days","countNumber":90`),
		policyOf(`"tagStatus":"any","countType":"imageCountMoreThan","countNumber":1`),
		`{"rules":[1,{"rulePriority":2,"selection":{"a":[{}]},"action":null}]}`,
	} {
		f.Add(text)
	}
	now := time.Date(2026, 7, 1, 0, 0, 0, 0, time.UTC)
	images := zoo(now)
	f.Fuzz(func(t *testing.T, text string) {
		p, err := Parse(text)
		if err != nil {
			return
		}
		if len(p.Rules) == 0 {
			t.Error("a policy without rules")
		}
		for _, r := range p.Rules {
			if r.Words() == "" || (r.Problem == "" && (r.Blind || r.Number < 1)) {
				t.Errorf("%+v", r)
			}
		}
		for n, v := range Evaluate(p, images, now) {
			if v.Expires != image.Never && v.Archives != image.Never && v.Archives > v.Expires {
				t.Errorf("%v is archived after it was deleted", images[n])
			}
		}
	})
}

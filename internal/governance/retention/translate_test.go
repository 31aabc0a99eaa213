package retention

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/opencontainers/go-digest"

	"transship/internal/document"
	"transship/internal/golden"
	"transship/internal/governance/cleanup"
	"transship/internal/governance/image"
)

// expire is a policy with a rule for each "TAGS DAYS", in which TAGS is any, untagged or a pattern.
func expire(rules ...string) string {
	var out []string
	for i, r := range rules {
		var tags string
		var days int
		if _, err := fmt.Sscan(r, &tags, &days); err != nil {
			panic(err)
		}
		selection := fmt.Sprintf(`"tagStatus":"%s"`, tags)
		if tags != "any" && tags != "untagged" {
			selection = fmt.Sprintf(`"tagStatus":"tagged","tagPatternList":["%s"]`, tags)
		}
		out = append(out, fmt.Sprintf(`{"rulePriority":%d,"selection":{%s,"countType":"sinceImagePushed","countUnit":"days","countNumber":%d},`+
			`"action":{"type":"expire"}}`, i+1, selection, days))
	}
	return `{"rules":[` + strings.Join(out, ",") + `]}`
}

const newest10 = `{"rules":[{"rulePriority":1,"selection":{"tagStatus":"any","countType":"imageCountMoreThan","countNumber":10},"action":{"type":"expire"}}]}`

// some is n images, one a day, of which every second has a tag.
func some(n int) []image.Image {
	out := make([]image.Image, n)
	for i := range out {
		out[i] = image.Image{Digest: digest.Digest(fmt.Sprintf("sha256:%04d", i)), PushedAt: now.AddDate(0, 0, -i).Add(-time.Hour)}
		if i%2 == 0 {
			out[i].Tags = []string{fmt.Sprint("v", i)}
		}
	}
	return out
}

func several(sources ...Source) Input { return Input{Sources: sources, Now: now} }

// texts says which policies there are, for which packages.
func texts(r Result) (out []string) {
	for _, p := range r.Policies {
		out = append(out, strings.TrimPrefix(p.ID, cleanup.Prefix)+" "+strings.Join(cleanup.Packages(p), ","))
	}
	return out
}

// fates is the fates of all rules of the sources.
func fates(r Result) string {
	var out []string
	for _, s := range r.Sources {
		var one []string
		for _, t := range s.Settings {
			one = append(one, string(t.Fate))
		}
		out = append(out, strings.Join(one, "+"))
	}
	return strings.Join(out, " ")
}

func TestPackages(t *testing.T) {
	week, month := expire("untagged 7"), expire("untagged 7", "any 30")
	for _, c := range []struct {
		name  string
		in    Input
		want  []string
		fates string
		say   string // in the reasons
	}{
		{"policies that are alike are shared",
			several(Source{Package: "b", Policy: week}, Source{Package: "a", Policy: month}, Source{Package: "c"}),
			[]string{"delete-any-30d a", "delete-untagged-7d a,b"}, "approximate approximate+approximate ", ""},
		{"a sibling without a policy",
			several(Source{Package: "team/app", Policy: week}, Source{Package: "team/app2"}, Source{Package: "team/ap", Policy: week}),
			nil, "refused  refused", "also apply to team/app2"},
		{"a sibling with the same policy",
			several(Source{Package: "team/app", Policy: week}, Source{Package: "team/app2", Policy: week}),
			[]string{"delete-untagged-7d team/app,team/app2"}, "approximate approximate", ""},
		{"a sibling with another policy",
			several(Source{Package: "team/app", Policy: week}, Source{Package: "team/app2", Policy: month}),
			[]string{"delete-any-30d team/app2", "delete-untagged-7d team/app2"}, "refused approximate+approximate", "also apply to team/app2"},
		{"a sibling that is there already",
			Input{Sources: []Source{{Package: "team/app", Policy: week}}, Others: []string{"team/app/debug"}, Now: now},
			nil, "refused", "also apply to team/app/debug"},
		{"a repository of its own",
			Input{Sources: []Source{{Package: "team/app", Policy: week}}, Sole: true, Now: now},
			[]string{"delete-untagged-7d "}, "approximate", ""},
		{"not of its own after all",
			Input{Sources: []Source{{Package: "team/app", Policy: week}}, Others: []string{"x"}, Sole: true, Now: now},
			[]string{"delete-untagged-7d team/app"}, "approximate", ""},
		{"several sources of one path, alike",
			several(Source{Package: "a", Policy: week}, Source{Package: "a", Policy: week}),
			[]string{"delete-untagged-7d a"}, "approximate approximate", ""},
		{"several sources of one path, different",
			several(Source{Package: "a", Policy: week}, Source{Package: "a", Policy: month}, Source{Package: "a"}),
			nil, "refused refused+refused ", "Several repositories go to the image path a"},
		{"no policy that can be read",
			several(Source{Package: "a", Policy: "x"}, Source{Package: "b", Policy: week}),
			[]string{"delete-untagged-7d b"}, "refused approximate", "no JSON object"},
	} {
		r := Translate(c.in)
		if diff := cmp.Diff(c.want, texts(r)); diff != "" {
			t.Errorf("%s: %s", c.name, diff)
		}
		if got := fates(r); got != c.fates {
			t.Errorf("%s: %q, not %q", c.name, got, c.fates)
		}
		if got := fmt.Sprint(r.Sources); !strings.Contains(got, c.say) {
			t.Errorf("%s: no %q in %s", c.name, c.say, got)
		}
	}
}

func TestKeepCountIsThatOfTheLargest(t *testing.T) {
	r := Translate(several(Source{Package: "a", Policy: newest10, Images: some(20)}, Source{Package: "b", Policy: newest10, Images: some(30)}))
	if diff := cmp.Diff([]string{"delete-any-1d a,b", "keep-newest-10 a,b"}, texts(r)); diff != "" {
		t.Fatal(diff)
	}
	if got := r.Policies[1].MostRecent.KeepCount; got != 40 {
		t.Errorf("keep %d", got)
	}
	for _, s := range r.Sources {
		if !strings.Contains(s.Settings[0].Becomes, "the newest 40 versions") || len(s.DueToday) == 0 {
			t.Errorf("%+v", s)
		}
	}
	in := several(Source{Package: "a", Policy: newest10, Images: some(20)})
	in.LeaveOut = true
	r = Translate(in)
	if got := r.Policies[1].MostRecent.KeepCount; got != 20 {
		t.Errorf("keep %d", got)
	}
	for _, d := range r.Sources[0].Doomed {
		if d.Source != 0 || d.Target != 0 {
			t.Errorf("what is left out is gone: %+v", d)
		}
	}
}

func TestExisting(t *testing.T) {
	own := document.CleanupPolicy{ID: cleanup.Prefix + "old", Action: document.CleanupDelete, Condition: &document.CleanupCondition{OlderThan: document.Day}}
	others := make([]document.CleanupPolicy, 9)
	for i := range others {
		others[i] = document.CleanupPolicy{ID: fmt.Sprint("other-", i), Action: document.CleanupKeep,
			Condition: &document.CleanupCondition{TagState: document.Tagged, TagPrefixes: []string{"x"}}}
	}
	deletes := own
	deletes.ID = "sweep"
	two := expire("untagged 7", "any 30")
	for _, c := range []struct {
		name     string
		existing document.TargetSettings
		policy   string
		want     int
		say      string // for the target
	}{
		{"ours alone, active", document.TargetSettings{Cleanup: []document.CleanupPolicy{own}}, two, 2, ""},
		{"others in a dry run", document.TargetSettings{Cleanup: others[:8], CleanupDryRun: true}, two, 2, ""},
		{"too many with others", document.TargetSettings{Cleanup: others, CleanupDryRun: true}, two, 0, "2 clean-up policies beside 9 of others"},
		{"others are active", document.TargetSettings{Cleanup: others[:1]}, two, 0, "active clean-up policies of others (other-0)"},
		{"others are active, and there is nothing to add", document.TargetSettings{Cleanup: others[:1]}, "", 0, ""},
		{"others delete", document.TargetSettings{Cleanup: []document.CleanupPolicy{deletes}, CleanupDryRun: true}, two, 2, "8 images that ECR keeps"},
	} {
		in := several(Source{Package: "a", Policy: c.policy, Images: some(10)})
		in.Existing = &c.existing
		r := Translate(in)
		if len(r.Policies) != c.want || !strings.Contains(fmt.Sprint(r.Target), c.say) || (c.say == "") != (len(r.Target) == 0) {
			t.Errorf("%s: %d policies, %v", c.name, len(r.Policies), r.Target)
		}
		for _, s := range r.Sources[0].Settings {
			if (s.Fate == document.FateRefused) != (c.want == 0) {
				t.Errorf("%s: %+v", c.name, s)
			}
		}
	}
}

func TestTooManyPolicies(t *testing.T) {
	var sources []Source
	for i := range 11 {
		sources = append(sources, Source{Package: fmt.Sprintf("app-%02d", i), Policy: expire(fmt.Sprintf("any %d", i+1))})
	}
	r := Translate(several(sources...))
	if len(r.Policies) != 0 || len(r.Target) != 1 || !strings.Contains(r.Target[0].Reason, "need 11 clean-up policies, and") {
		t.Error(r.Policies, r.Target)
	}
	if r = Translate(several(sources[1:]...)); len(r.Policies) != 10 || len(r.Target) != 0 {
		t.Error(r.Policies, r.Target)
	}
}

func TestARefusedSourceTakesWhatItSharedWithIt(t *testing.T) {
	week := expire("untagged 7")
	signed := []image.Image{{Digest: "sha256:a", Tags: []string{"v1"}, PushedAt: now}, {Digest: "sha256:s", Subject: "sha256:a", PushedAt: now}}
	r := Translate(several(Source{Package: "app", Policy: week}, Source{Package: "app-signed", Policy: week, Images: signed},
		Source{Package: "other", Policy: week}))
	if diff := cmp.Diff([]string{"delete-untagged-7d other"}, texts(r)); diff != "" {
		t.Error(diff)
	}
	if got := fates(r); got != "refused refused approximate" {
		t.Error(got)
	}
	if !slices.Equal(r.Sources[1].Evidence, []digest.Digest{"sha256:s"}) || !strings.Contains(r.Sources[1].Settings[0].Reason, "sha256:s (describes another image)") {
		t.Errorf("%+v", r.Sources[1])
	}
}

func TestPreset(t *testing.T) {
	in := several(Source{Package: "a", Policy: expire("any 30"), Images: some(40)}, Source{Package: "b", Images: some(40)}, Source{Package: "c"})
	in.Preset = Standard
	golden.Compare(t, "preset"+".golden", show(t, in, Translate(in)))
	in.Existing = &document.TargetSettings{Cleanup: []document.CleanupPolicy{{ID: "theirs", Action: document.CleanupKeep}}}
	if r := Translate(in); len(r.Policies) != 0 || r.Sources[0].Settings[0].Reason != r.Target[0].Reason {
		t.Errorf("%+v", r)
	}
	for name, ok := range map[string]bool{"": true, "standard": true, "Standard": false, "none": false} {
		if _, err := ParsePreset(name); (err == nil) != ok {
			t.Errorf("%q: %v", name, err)
		}
	}
	if err := cleanup.Check(Standard.policies()); err != nil {
		t.Error(err)
	}
}

func TestImmutableTags(t *testing.T) {
	in := several(Source{Package: "a", Policy: expire("untagged 7", "any 30")})
	in.Immutable = true
	for n, s := range Translate(in).Sources[0].Settings {
		if strings.Contains(s.Reason, "immutable") != (n == 1) {
			t.Errorf("%+v", s)
		}
	}
}

func TestIDs(t *testing.T) {
	keep := template{action: document.CleanupKeep, selector: selector{document.Tagged, "Prod_1"}}
	later := keep
	later.newer = 3 * document.Day
	for t1, want := range map[template]string{
		keep:  "transship-keep-tag-prod-1-18c8b8c9-always",
		later: "transship-keep-tag-prod-1-18c8b8c9-3d",
		{action: document.CleanupDelete, selector: untagged, older: document.Day}: "transship-delete-untagged-1d",
		{action: document.CleanupKeep, newest: 7}:                                 "transship-keep-newest-7",
	} {
		if got := t1.id(); got != want {
			t.Errorf("%s, not %s", got, want)
		}
	}
	long := template{action: document.CleanupKeep, selector: selector{document.Tagged, strings.Repeat("é*", 200)}}
	if n := len(long.id()); n > cleanup.MaxID {
		t.Errorf("%s has %d characters", long.id(), n)
	}
}

func TestEveryOutcomeIsInTheTable(t *testing.T) {
	for o := byAge; o <= fallen; o++ {
		if row, ok := table[o]; !ok || row.fate == "" || row.reason == "" || (row.fate == document.FateRefused && row.decide == "") {
			t.Errorf("outcome %d: %+v", o, row)
		}
	}
	for _, a := range []*assumption{agesFromUpload, referrersStay} {
		a.confirmed = true
		defer func() { a.confirmed = false }()
	}
	if r := Translate(several(Source{Package: "a", Policy: expire("any 30")})); fates(r) != "exact" {
		t.Errorf("%+v", r.Sources)
	}
}

// A hundred thousand images in a thousand repositories that share ten policies, with indexes and signatures.
func BenchmarkTranslate(b *testing.B) {
	policies := []string{"", newest10}
	for i := range 7 {
		policies = append(policies, expire("prod* 365", "untagged 14", fmt.Sprintf("any %d", 60+i/4)))
	}
	in := Input{Now: now}
	for n := range 1000 {
		images := some(100)
		for i := 0; i < 90; i += 10 {
			images[i].Children = []digest.Digest{images[i+1].Digest, images[i+3].Digest}
			if n%2 == 0 && policies[n%len(policies)] == newest10 {
				images[i+5].Subject = images[i].Digest
			}
		}
		in.Sources = append(in.Sources, Source{Package: fmt.Sprintf("team-%03d/app", n), Policy: policies[n%len(policies)], Images: images})
	}
	b.ReportAllocs()
	for b.Loop() {
		if r := Translate(in); len(r.Policies) == 0 {
			b.Fatal(r.Target)
		}
	}
}

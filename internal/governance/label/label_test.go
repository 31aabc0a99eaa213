package label

import (
	"fmt"
	"maps"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
	"pgregory.net/rapid"

	"transship/internal/document"
	"transship/internal/ref"
)

// show is a translation in one line.
func show(list []document.Translation) (out []string) {
	for _, s := range list {
		line := fmt.Sprintf("%s: %s → %s, %s", s.Item, s.Was, s.Becomes, s.Fate)
		if s.Reason != "" {
			line += ": " + s.Reason
		}
		out = append(out, line)
	}
	return out
}

func TestTranslate(t *testing.T) {
	long, longer := strings.Repeat("k", 63), strings.Repeat("k", 70)
	for _, test := range []struct {
		name string
		tags map[string]string
		want []string
	}{
		{"none", nil, nil},
		{"lawful", map[string]string{"team": "payments", "cost-center": "42", "a_b": ""}, []string{
			"a_b: a_b= → a_b=, exact", "cost-center: cost-center=42 → cost-center=42, exact", "team: team=payments → team=payments, exact"}},
		{"upper case", map[string]string{"Team": "Payments"}, []string{
			"Team: Team=Payments → team=payments, approximate: the key is in lower case now; the value is in lower case now"}},
		{"other characters", map[string]string{"app.kubernetes.io/name": "web server @ 1.2+x"}, []string{
			"app.kubernetes.io/name: app.kubernetes.io/name=web server @ 1.2+x → app_kubernetes_io_name=web_server___1_2_x, approximate: " +
				"the key has _ for characters that labels do not have; the value has _ for characters that labels do not have"}},
		{"no letter first", map[string]string{"2024": "x", "_hidden": "y", "-": "z"}, []string{
			"-: -=z → tag_-=z, approximate: the key begins with tag_, since it must begin with a letter",
			"2024: 2024=x → tag_2024=x, approximate: the key begins with tag_, since it must begin with a letter",
			"_hidden: _hidden=y → tag__hidden=y, approximate: the key begins with tag_, since it must begin with a letter"}},
		{"of AWS", map[string]string{"aws:cloudformation:stack-name": "s", "AWS:x": "y", "awsome": "z"}, []string{
			"AWS:x: AWS:x=y → , needless: tags that begin with aws: belong to AWS, and mean nothing elsewhere",
			"aws:cloudformation:stack-name: aws:cloudformation:stack-name=s → , needless: tags that begin with aws: belong to AWS, and mean nothing elsewhere",
			"awsome: awsome=z → awsome=z, exact"}},
		{"a collision with a lawful one", map[string]string{"Team": "a", "team": "b"}, []string{
			`Team: Team=a → team_5985039f=a, approximate: the key would be team, as that of "team": a hash tells them apart`, "team: team=b → team=b, exact"}},
		{"a collision of others", map[string]string{"Cost.Center": "a", "cost:center": "b"}, []string{
			`Cost.Center: Cost.Center=a → cost_center_ee4b11da=a, approximate: the key would be cost_center, as that of "cost:center": a hash tells them apart`,
			`cost:center: cost:center=b → cost_center_a8eb41be=b, approximate: the key would be cost_center, as that of "Cost.Center": a hash tells them apart`}},
		{"long", map[string]string{long: longer, longer: long}, []string{
			fmt.Sprintf("%[1]s: %[1]s=%[2]s → %[1]s=%[3]s_5c6ced41, approximate: the value is cut to 63 characters, with a hash at its end", long, longer, longer[:54]),
			fmt.Sprintf("%[2]s: %[2]s=%[1]s → %[3]s_5c6ced41=%[1]s, approximate: the key is cut to 63 characters, with a hash at its end", long, longer, longer[:54])}},
		{"letters of other alphabets", map[string]string{"équipe": "Zürich", "\u212a": "\xff"}, []string{
			"équipe: équipe=Zürich → tag__quipe=z_rich, approximate: the key has _ for characters that labels do not have, begins with tag_, since it must begin with a letter; " +
				"the value is in lower case now, has _ for characters that labels do not have",
			"\u212a: \u212a=\xff → tag__=_, approximate: the key has _ for characters that labels do not have, begins with tag_, since it must begin with a letter; the value has _ for characters that labels do not have"}},
	} {
		labels, settings := Translate(test.tags)
		if got := show(settings); !cmp.Equal(got, test.want, cmpopts.EquateEmpty()) {
			t.Errorf("%s: %s", test.name, cmp.Diff(test.want, got))
		}
		for _, s := range settings {
			if k, v, ok := strings.Cut(s.Becomes, "="); ok && labels[k] != v {
				t.Errorf("%s: %s is %q", test.name, k, labels[k])
			}
		}
	}
}

// Of more labels than there may be, those that are left out are told.
func TestTooManyTags(t *testing.T) {
	tags := map[string]string{"aws:x": "y"}
	for i := range MaxLabels + 2 {
		tags[fmt.Sprintf("k%02d", i)] = "v"
	}
	labels, settings := Translate(tags)
	left := 0
	for _, s := range settings {
		if s.Fate == document.FateRefused {
			left++
			if s.Reason == "" || s.Decide == "" || labels[s.Item] != "" {
				t.Errorf("%+v", s)
			}
		}
	}
	if len(labels) != MaxLabels || left != 2 || len(settings) != len(tags) {
		t.Errorf("%d labels, %d left out, %d told", len(labels), left, len(settings))
	}
}

// A key into which somebody wrote the hash of another does not take that one's place.
func TestAKeyThatImitatesAHash(t *testing.T) {
	labels, _ := Translate(map[string]string{"team": "a", "Team": "b", "team_5985039f": "c"})
	if len(labels) != 3 || labels["team"] != "a" || labels["team_5985039f"] != "c" {
		t.Error(labels)
	}
}

func drawTags(t *rapid.T, name string) map[string]string {
	text := rapid.OneOf(rapid.SampledFrom([]string{"team", "Team", "TEAM", "a.b", "a_b", "a:b", "", "1", "tag_1", "aws:x"}), rapid.StringMatching(`[a-zA-Z0-9 +=._:/@-]{0,90}`), rapid.String())
	return rapid.MapOfN(text, text, 0, 70).Draw(t, name)
}

// Whatever the tags, the labels are lawful, each tag is told of once, and no two tags have one label.
func TestLabelsAreLawful(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		tags := drawTags(t, "tags")
		labels, settings := Translate(tags)
		if len(labels) > MaxLabels || len(settings) != len(tags) {
			t.Fatalf("%d labels, %d of %d told", len(labels), len(settings), len(tags))
		}
		for k, v := range labels {
			if !LawfulKey(k) || !LawfulValue(v) {
				t.Fatalf("%q=%q", k, v)
			}
		}
		seen := map[string]string{}
		for _, s := range settings {
			key, value, became := strings.Cut(s.Becomes, "=")
			if !became {
				if s.Fate != document.FateNeedless && s.Fate != document.FateRefused || s.Reason == "" {
					t.Fatalf("%+v", s)
				}
				continue
			}
			if other, twice := seen[key]; twice {
				t.Fatalf("%q and %q became %q", other, s.Item, key)
			}
			seen[key] = s.Item
			same := key == s.Item && value == tags[s.Item]
			if labels[key] != value || same != (s.Fate == document.FateExact) || same != (s.Reason == "") {
				t.Fatalf("%+v", s)
			}
		}
		if len(seen) != len(labels) {
			t.Fatalf("%d told, %d made", len(seen), len(labels))
		}
		again, settings := Translate(labels)
		if !maps.Equal(again, labels) {
			t.Fatalf("%v becomes %v", labels, again)
		}
		for _, s := range settings {
			if s.Fate != document.FateExact {
				t.Fatalf("a lawful label changes: %+v", s)
			}
		}
	})
}

func sourceOf(name string, tags map[string]string) Source {
	return Source{Repository: ref.Registry{Account: "123456789012", Region: "us-east-1"}.Repository(name), Tags: tags}
}

func TestShare(t *testing.T) {
	got := Share([]Source{
		sourceOf("team/api", map[string]string{"team": "a", "env": "prod", "Owner": "Ann", "only": "here"}),
		sourceOf("team/web", map[string]string{"team": "a", "env": "dev", "owner": "ann"}),
		sourceOf("team/db", map[string]string{"team": "a", "env": "prod", "owner": "ann", "aws:x": "y"}),
	})
	if want := map[string]string{"team": "a", "owner": "ann"}; !cmp.Equal(got.Labels, want) {
		t.Error(cmp.Diff(want, got.Labels))
	}
	const differ = "the repositories that go to the same target differ in the label "
	const env, only = "env=prod in 2 repositories such as team/api, env=dev in team/web", "none in 2 repositories such as team/db, only=here in team/api"
	want := [][]string{
		{"Owner: Owner=Ann → owner=ann, approximate: the key is in lower case now; the value is in lower case now",
			"env: env=prod → , refused: " + differ + "env: " + env, "only: only=here → , refused: " + differ + "only: " + only, "team: team=a → team=a, exact"},
		{"env: env=dev → , refused: " + differ + "env: " + env, "owner: owner=ann → owner=ann, exact", "team: team=a → team=a, exact"},
		{"aws:x: aws:x=y → , needless: tags that begin with aws: belong to AWS, and mean nothing elsewhere",
			"env: env=prod → , refused: " + differ + "env: " + env, "owner: owner=ann → owner=ann, exact", "team: team=a → team=a, exact"},
	}
	for i := range want {
		if shown := show(got.Sources[i]); !cmp.Equal(shown, want[i]) {
			t.Error(cmp.Diff(want[i], shown))
		}
	}
	const lost = "a label belongs to the whole repository, and is not true of all that goes there"
	wantLost := []string{"env: " + env + " → , refused: " + lost, "only: " + only + " → , refused: " + lost}
	if shown := show(got.Lost); !cmp.Equal(shown, wantLost) {
		t.Error(cmp.Diff(wantLost, shown))
	}
	if got := Share(nil); len(got.Labels)+len(got.Sources)+len(got.Lost) != 0 {
		t.Errorf("of nothing: %+v", got)
	}
}

// A shared label is one of each source; any other is told of at every source that has it.
func TestShareIsTrueOfAll(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		var sources []Source
		for i := range rapid.IntRange(1, 4).Draw(t, "sources") {
			sources = append(sources, sourceOf(fmt.Sprintf("app%d", i), rapid.OneOf(rapid.Custom(func(t *rapid.T) map[string]string { return drawTags(t, "any") }),
				rapid.MapOf(rapid.SampledFrom([]string{"a", "b", "B", "C"}), rapid.SampledFrom([]string{"x", "y", "X"}))).Draw(t, "tags")))
		}
		got := Share(sources)
		told := map[string]bool{}
		for _, l := range got.Lost {
			told[l.Item] = true
		}
		for i, s := range sources {
			labels, alone := Translate(s.Tags)
			for k, v := range got.Labels {
				if labels[k] != v {
					t.Fatalf("%s has %s=%q, and not %q", s.Repository, k, labels[k], v)
				}
			}
			for k := range labels {
				if _, shared := got.Labels[k]; shared == told[k] {
					t.Fatalf("%s: shared %t, lost %t", k, shared, told[k])
				}
			}
			for j, one := range got.Sources[i] {
				key, _, became := strings.Cut(alone[j].Becomes, "=")
				if became && told[key] != (one.Fate == document.FateRefused) || !became && one != alone[j] {
					t.Fatalf("%+v became %+v", alone[j], one)
				}
			}
		}
	})
}

package desired

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"transship/internal/document"
	"transship/internal/governance/cleanup"
	"transship/internal/ref"
)

var apps = ref.TargetRepository{Location: "us", Project: "my-gcp-project", ID: "app-images"}

const aKey = "projects/p/locations/us/keyRings/r/cryptoKeys/k"

func untagged(id string, days document.Seconds) document.CleanupPolicy {
	return document.CleanupPolicy{ID: id, Action: document.CleanupDelete, Condition: &document.CleanupCondition{TagState: document.Untagged, OlderThan: days * document.Day}}
}

func newest(id string, n int) document.CleanupPolicy {
	return document.CleanupPolicy{ID: id, Action: document.CleanupKeep, MostRecent: &document.MostRecent{KeepCount: n}}
}

func policies(n int, prefix string) (out []document.CleanupPolicy) {
	for i := range n {
		out = append(out, untagged(fmt.Sprintf("%s%02d", prefix, i), 7))
	}
	return out
}

func manyLabels(n int) map[string]string {
	out := map[string]string{}
	for i := range n {
		out[fmt.Sprintf("l%d", i)] = "x"
	}
	return out
}

// said is all that a change says, a line each.
func said(c Change) string {
	var b strings.Builder
	if c.Create {
		b.WriteString("create\n")
	}
	for _, s := range c.Steps {
		fmt.Fprintf(&b, "%s %s: %s → %s\n", s.Setting, s.Item, s.From, s.To)
	}
	for _, l := range c.LeftOut {
		fmt.Fprintf(&b, "left out %s: %s (%s)\n", l.Setting, l.Reason, l.Remedy)
	}
	for _, x := range c.Conflicts {
		fmt.Fprintf(&b, "conflict: %s (%s)\n", x.Reason, x.Remedy)
	}
	if c.Unfinished {
		b.WriteString("unfinished\n")
	}
	return b.String()
}

func TestDiff(t *testing.T) {
	found := func(s document.TargetSettings) *document.TargetRepository {
		return &document.TargetRepository{URI: apps, Format: "DOCKER", Mode: "STANDARD_REPOSITORY", Description: "theirs", TargetSettings: s}
	}
	type settings = document.TargetSettings
	type list = []document.CleanupPolicy
	for _, test := range []struct {
		name   string
		want   settings
		found  *document.TargetRepository
		finish bool
		says   []string // lines, in order; each may be a part
		after  *settings
	}{
		{"a new one with nothing", settings{}, nil, false, []string{"create"}, &settings{}},
		{"a new one with everything", settings{ImmutableTags: true, KMSKey: aKey, Labels: map[string]string{"b": "2", "a": "1"}, Scanning: "INHERITED", Cleanup: list{untagged("transship-a", 1)}, CleanupDryRun: true}, nil, false,
			[]string{"create", "encryption :  → " + aKey, "label a:  → 1", "label b:  → 2", "scanning :  → on, where the project scans", "lifecycle transship-a:  → delete untagged images older than 1 day",
				"lifecycle dry run:  → on: nothing is deleted yet", "unfinished"},
			&settings{KMSKey: aKey, Labels: map[string]string{"a": "1", "b": "2"}, Scanning: "INHERITED", Cleanup: list{untagged("transship-a", 1)}, CleanupDryRun: true}},
		{"a new one is not finished", settings{ImmutableTags: true}, nil, true, []string{"create", "left out immutability: its tags are not made immutable", "unfinished"}, &settings{}},
		{"one that is as it should be", settings{Labels: map[string]string{"a": "1"}, Scanning: "INHERITED", Cleanup: list{untagged("transship-a", 1)}, CleanupDryRun: true},
			found(settings{Labels: map[string]string{"a": "1", "b": "2"}, Cleanup: list{untagged("transship-a", 1)}, CleanupDryRun: true}), true, nil, nil},
		{"the wrong format and mode", settings{}, &document.TargetRepository{Description: "theirs", Format: "MAVEN", Mode: "REMOTE_REPOSITORY"}, false, []string{"conflict: it exists with the format MAVEN"}, nil},
		{"the wrong mode", settings{}, &document.TargetRepository{Description: "theirs", Mode: "VIRTUAL_REPOSITORY"}, false, []string{"conflict: it exists as a VIRTUAL_REPOSITORY"}, nil},

		{"a key that it has", settings{KMSKey: aKey}, found(settings{KMSKey: aKey}), false, nil, nil},
		{"a key where none is planned", settings{}, found(settings{KMSKey: aKey}), false, nil, nil},
		{"another key", settings{KMSKey: aKey}, found(settings{KMSKey: aKey + "2"}), false, []string{"cannot be changed: the plan wants " + aKey + " (map to another repository, which Transship creates with the key, or name the key that it has)"}, nil},
		{"a key too late", settings{KMSKey: aKey}, found(settings{}), false, []string{"conflict: it exists without a customer's key"}, nil},
		{"a key elsewhere", settings{KMSKey: strings.Replace(aKey, "us", "us-central1", 1)}, nil, false, []string{"create", "is in us-central1, and the repository in us (name a key whose location is us)"}, nil},
		{"a key with a version", settings{KMSKey: aKey + "/cryptoKeyVersions/1"}, nil, false, []string{"create", "is not the name of a key (write it as projects/PROJECT/"}, nil},
		{"no key at all", settings{KMSKey: "alias/my-key"}, nil, false, []string{"create", "is not the name of a key"}, nil},

		{"labels are laid over", settings{Labels: map[string]string{"a": "1", "n": ""}}, found(settings{Labels: map[string]string{"a": "0", "b": "2"}}), false, []string{"label a: 0 → 1", "label n:  → "},
			&settings{Labels: map[string]string{"a": "1", "b": "2", "n": ""}}},
		{"too many labels", settings{Labels: map[string]string{"a": "1"}}, found(settings{Labels: manyLabels(64)}), false, []string{"left out label: it would have 65 labels, and Artifact Registry allows 64"}, nil},
		{"just enough labels", settings{Labels: map[string]string{"l0": "y"}}, found(settings{Labels: manyLabels(64)}), false, []string{"label l0: x → y"}, nil},

		{"scanning off", settings{Scanning: "DISABLED"}, found(settings{Scanning: "INHERITED"}), false, []string{"scanning : on, where the project scans → off"}, &settings{Scanning: "DISABLED"}},
		{"scanning on", settings{Scanning: "INHERITED"}, found(settings{Scanning: "DISABLED"}), false, []string{"scanning : off → on"}, &settings{Scanning: "INHERITED"}},
		{"scanning as it is", settings{}, found(settings{Scanning: "DISABLED"}), false, nil, nil},
		{"scanning that nobody knows", settings{Scanning: "MAYBE"}, found(settings{}), false, []string{`conflict: its plan wants scanning to be "MAYBE"`}, nil},

		{"immutable tags later", settings{ImmutableTags: true}, found(settings{}), false, []string{"unfinished"}, nil},
		{"immutable tags now", settings{ImmutableTags: true}, found(settings{}), true, []string{"immutability : can be moved → immutable"}, &settings{ImmutableTags: true}},
		{"immutable tags before", settings{}, found(settings{ImmutableTags: true}), true, nil, nil},

		{"first policies", settings{Cleanup: list{newest("transship-b", 3), untagged("transship-a", 2)}}, found(settings{}), false,
			[]string{"lifecycle transship-a:  → delete untagged images older than 2 days", "lifecycle transship-b:  → keep the newest 3 of each image path", "lifecycle dry run:  → on"},
			&settings{Cleanup: list{untagged("transship-a", 2), newest("transship-b", 3)}, CleanupDryRun: true}},
		{"policies beside those of others in dry run", settings{Cleanup: list{untagged("transship-a", 2)}}, found(settings{Cleanup: list{untagged("by-hand", 1), untagged("transship-z", 3)}, CleanupDryRun: true}), false,
			[]string{"lifecycle transship-a:  → delete", "lifecycle transship-z: delete untagged images older than 3 days → "},
			&settings{Cleanup: list{untagged("by-hand", 1), untagged("transship-a", 2)}, CleanupDryRun: true}},
		{"policies of others at work", settings{Cleanup: list{untagged("transship-a", 2)}}, found(settings{Cleanup: list{untagged("by-hand", 1)}}), false,
			[]string{"left out lifecycle: 1 clean-up policy of others is at work there"}, nil},
		{"policies of others at work, and ours to go", settings{}, found(settings{Cleanup: list{untagged("by-hand", 1), newest("transship-b", 3)}}), false,
			[]string{"left out lifecycle: 1 clean-up policy of others is at work there"}, nil},
		{"policies that somebody put to work", settings{Cleanup: list{untagged("transship-a", 2)}}, found(settings{Cleanup: list{untagged("by-hand", 1), untagged("transship-a", 2)}}), false, nil, nil},
		{"policies at work that change", settings{Cleanup: list{untagged("transship-a", 3)}}, found(settings{Cleanup: list{untagged("transship-a", 2)}}), false,
			[]string{"lifecycle transship-a: delete untagged images older than 2 days → delete untagged images older than 3 days", "lifecycle dry run: off → on: nothing is deleted yet"},
			&settings{Cleanup: list{untagged("transship-a", 3)}, CleanupDryRun: true}},
		{"no policies any more", settings{}, found(settings{Cleanup: list{untagged("transship-a", 2)}}), false, []string{"lifecycle transship-a: delete untagged images older than 2 days → "}, &settings{}},
		{"ten with those of others", settings{Cleanup: policies(7, "transship-")}, found(settings{Cleanup: policies(3, "by-hand-"), CleanupDryRun: true}), false, slices.Repeat([]string{"lifecycle transship-"}, 7), nil},
		{"eleven with those of others", settings{Cleanup: policies(7, "transship-")}, found(settings{Cleanup: policies(4, "by-hand-"), CleanupDryRun: true}), false,
			[]string{"left out lifecycle: it has 4 clean-up policies of others, and would have 11 with ours: Artifact Registry allows 10"}, nil},
		{"eleven of ours", settings{Cleanup: policies(11, "transship-")}, nil, false, []string{"create", "conflict: its plan has clean-up policies that Artifact Registry would refuse: there are 11"}, nil},
		{"the same by other words", settings{Cleanup: list{{ID: "transship-a", Action: "DELETE", Condition: &document.CleanupCondition{TagPrefixes: []string{"a", "b"}, OlderThan: 1}}}},
			found(settings{CleanupDryRun: true, Cleanup: list{{ID: "transship-a", Action: "DELETE", Condition: &document.CleanupCondition{TagState: "ANY", TagPrefixes: []string{"b", "a"}, PackagePrefixes: []string{}, OlderThan: 1}}}}), false, nil, nil},
	} {
		t.Run(test.name, func(t *testing.T) {
			c := Diff(document.PlannedRepository{URI: apps, Description: "ours", Settings: test.want}, test.found, test.finish)
			lines := slices.DeleteFunc(strings.Split(said(c), "\n"), func(s string) bool { return s == "" })
			ok := len(lines) == len(test.says)
			for i := range test.says {
				ok = ok && strings.Contains(lines[i], test.says[i])
			}
			if !ok {
				t.Errorf("it says\n%swant\n%s", said(c), strings.Join(test.says, "\n"))
			}
			if test.after != nil {
				if diff := cmp.Diff(*test.after, c.Settings); diff != "" {
					t.Errorf("afterwards (-want +got):\n%s", diff)
				}
			}
			if test.found == nil != c.Create || c.Create == (c.Description == "theirs") {
				t.Errorf("create %t, described as %q", c.Create, c.Description)
			}
			if c.Nothing() && test.found != nil && len(c.Conflicts) == 0 {
				if diff := cmp.Diff(test.found.TargetSettings, c.Settings); diff != "" {
					t.Errorf("nothing changes, and yet (-want +got):\n%s", diff)
				}
			}
		})
	}
}

func TestPoliciesThatWouldBeRefused(t *testing.T) {
	condition := &document.CleanupCondition{TagState: document.Untagged}
	for _, test := range []struct {
		policy document.CleanupPolicy
		say    string
	}{
		{untagged("by-hand", 1), "does not begin with transship-"},
		{untagged("transship-"+strings.Repeat("x", 118), 1), "is longer than 127"},
		{document.CleanupPolicy{ID: "transship-a", Action: "BURN", Condition: condition}, `the action "BURN"`},
		{document.CleanupPolicy{ID: "transship-a", Action: "KEEP"}, "either a condition or"},
		{document.CleanupPolicy{ID: "transship-a", Action: "KEEP", Condition: condition, MostRecent: &document.MostRecent{KeepCount: 1}}, "either a condition or"},
		{document.CleanupPolicy{ID: "transship-a", Action: "DELETE", MostRecent: &document.MostRecent{KeepCount: 1}}, "deletes the most recent"},
		{newest("transship-a", 0), "keeps no version"},
		{untagged("transship-a", -1), "a negative age"},
		{document.CleanupPolicy{ID: "transship-a", Action: "DELETE", Condition: &document.CleanupCondition{}}, "an empty condition"},
	} {
		c := Diff(document.PlannedRepository{URI: apps, Settings: document.TargetSettings{Cleanup: []document.CleanupPolicy{test.policy}}}, nil, false)
		if len(c.Conflicts) != 1 || !strings.Contains(c.Conflicts[0].Reason, test.say) {
			t.Errorf("%+v: %+v", test.policy, c.Conflicts)
		}
	}
	twice := document.TargetSettings{Cleanup: []document.CleanupPolicy{newest("transship-a", 1), newest("transship-a", 2)}}
	if c := Diff(document.PlannedRepository{URI: apps, Settings: twice}, nil, false); len(c.Conflicts) != 1 || !strings.Contains(c.Conflicts[0].Reason, "is there twice") {
		t.Errorf("%+v", c.Conflicts)
	}
}

func TestWords(t *testing.T) {
	for want, p := range map[string]document.CleanupPolicy{
		"delete nothing":       {Action: "DELETE"},
		"delete tagged images": {Action: "DELETE", Condition: &document.CleanupCondition{TagState: "TAGGED"}},
		`keep images tagged "a*" or "b*" with a digest "sha256:0*" in "team/*" newer than 90 seconds`: {Action: "KEEP", Condition: &document.CleanupCondition{
			TagState: "TAGGED", TagPrefixes: []string{"a", "b"}, VersionPrefixes: []string{"sha256:0"}, PackagePrefixes: []string{"team/"}, NewerThan: 90}},
		"delete images older than 30 days":                               {Action: "DELETE", Condition: &document.CleanupCondition{TagState: "ANY", OlderThan: 30 * document.Day}},
		`keep the newest 3 of each image path that begins with "team/*"`: {Action: "KEEP", MostRecent: &document.MostRecent{KeepCount: 3, PackagePrefixes: []string{"team/"}}},
	} {
		if got := Words(p); got != want {
			t.Errorf("%q, want %q", got, want)
		}
	}
}

// settingsOf draws settings that a repository may have, whose policies have ids with one of the prefixes.
func settingsOf(prefixes ...string) *rapid.Generator[document.TargetSettings] {
	return rapid.Custom(func(t *rapid.T) document.TargetSettings {
		s := document.TargetSettings{
			ImmutableTags: rapid.Bool().Draw(t, "immutable"),
			Scanning:      rapid.SampledFrom([]string{"", document.ScanningInherited, document.ScanningDisabled}).Draw(t, "scanning"),
			Labels:        rapid.MapOfN(rapid.SampledFrom([]string{"a", "b", "c"}), rapid.SampledFrom([]string{"", "1", "2"}), 0, 3).Draw(t, "labels"),
			CleanupDryRun: rapid.Bool().Draw(t, "dryRun"),
		}
		seen := map[string]bool{}
		for range rapid.IntRange(0, 6).Draw(t, "policies") {
			id := rapid.SampledFrom(prefixes).Draw(t, "prefix") + rapid.StringMatching("[a-c]{1,2}").Draw(t, "id")
			if !seen[id] {
				seen[id] = true
				s.Cleanup = append(s.Cleanup, untagged(id, document.Seconds(rapid.IntRange(1, 3).Draw(t, "days"))))
			}
		}
		slices.SortFunc(s.Cleanup, byID)
		return s
	})
}

// Whatever there is and whatever is planned: after a change there is nothing left to change, what others set is still
// there, and nothing of ours begins to delete.
func TestDiffProperties(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		planned := document.PlannedRepository{URI: apps, Settings: settingsOf(cleanup.Prefix).Draw(t, "planned")}
		found := document.TargetRepository{URI: apps, Format: "DOCKER", TargetSettings: settingsOf(cleanup.Prefix, "by-hand-", "").Draw(t, "found")}
		finish := rapid.Bool().Draw(t, "finish")
		before := found.TargetSettings
		labels, policies := maps.Clone(before.Labels), slices.Clone(before.Cleanup)
		c := Diff(planned, &found, finish)
		if !maps.Equal(labels, before.Labels) || !cmp.Equal(policies, before.Cleanup) {
			t.Fatal("the diff changed what was found")
		}
		found.TargetSettings = c.Settings
		if again := c.Again(found); len(again.Steps) > 0 || !cmp.Equal(again.Settings, c.Settings) || len(again.LeftOut) != len(c.LeftOut) {
			t.Fatalf("once more: %s", said(again))
		}
		for key, value := range labels {
			if _, own := planned.Settings.Labels[key]; !own && c.Settings.Labels[key] != value {
				t.Fatalf("the label %s is %q, and was %q", key, c.Settings.Labels[key], value)
			}
		}
		foreign := func(s document.TargetSettings) (out []document.CleanupPolicy) {
			for _, p := range s.Cleanup {
				if !cleanup.Ours(p) {
					out = append(out, p)
				}
			}
			return out
		}
		if !cmp.Equal(foreign(before), foreign(c.Settings)) {
			t.Fatal("a policy of others was changed")
		}
		if len(foreign(before)) > 0 && before.CleanupDryRun != c.Settings.CleanupDryRun {
			t.Fatal("the dry run of others was changed")
		}
		if !c.Settings.CleanupDryRun {
			for _, p := range c.Settings.Cleanup {
				if !slices.ContainsFunc(before.Cleanup, func(old document.CleanupPolicy) bool { return cmp.Equal(old, p) }) {
					t.Fatalf("%s is at work at once", p.ID)
				}
			}
		}
		if len(c.Settings.Cleanup) > cleanup.MaxPolicies && len(c.Settings.Cleanup) > len(before.Cleanup) || before.ImmutableTags && !c.Settings.ImmutableTags {
			t.Fatalf("afterwards: %+v", c.Settings)
		}
	})
}

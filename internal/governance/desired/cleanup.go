package desired

import (
	"cmp"
	"fmt"
	"reflect"
	"slices"

	"transship/internal/document"
	"transship/internal/governance/cleanup"
)

// cleanup puts our policies in the place of those that we put there before; policies of others are never changed or
// removed. Ours begin in dry run, which belongs to the
// repository as a whole: where policies of others are at work, ours would be at work with them, and dry run would stop
// theirs. So ours are left out there. Where ours are as planned, dry run stays as it is: whoever turned it off was content.
func (c *Change) cleanup(want []document.CleanupPolicy, now document.TargetSettings) {
	if reason := wrongPolicies(want); reason != "" {
		c.conflict("plan anew", "its plan has clean-up policies that Artifact Registry would refuse: %s", reason)
		return
	}
	var mine, foreign []document.CleanupPolicy
	for _, p := range now.Cleanup {
		if cleanup.Ours(p) {
			mine = append(mine, p)
		} else {
			foreign = append(foreign, p)
		}
	}
	after, steps := replaced(mine, want)
	if len(steps) == 0 {
		return
	}
	setting := document.SettingLifecycle
	switch {
	case len(foreign) > 0 && !now.CleanupDryRun:
		c.leaveOut(setting, "turn on dry run there, or map to another repository",
			"%s of others %s at work there: what ours change would delete at once, and dry run would stop theirs", counted(len(foreign)), are(len(foreign)))
		return
	case len(foreign)+len(want) > cleanup.MaxPolicies:
		c.leaveOut(setting, "remove clean-up policies from the repository, or map to another one",
			"it has %s of others, and would have %d with ours: Artifact Registry allows %d", counted(len(foreign)), len(foreign)+len(want), cleanup.MaxPolicies)
		return
	}
	c.Steps = append(c.Steps, steps...)
	c.Settings.Cleanup = append(after, foreign...)
	slices.SortFunc(c.Settings.Cleanup, byID)
	if len(want) > 0 && !now.CleanupDryRun {
		from := ""
		if len(now.Cleanup) > 0 {
			from = "off"
		}
		c.step(setting, DryRun, from, "on: nothing is deleted yet")
		c.Settings.CleanupDryRun = true
	}
}

func byID(a, b document.CleanupPolicy) int { return cmp.Compare(a.ID, b.ID) }

// replaced puts want in the place of now. What means the same stays as it is written.
func replaced(now, want []document.CleanupPolicy) (after []document.CleanupPolicy, steps []Step) {
	at := map[string]document.CleanupPolicy{}
	for _, p := range now {
		at[p.ID] = p
	}
	for _, p := range want {
		old, there := at[p.ID]
		delete(at, p.ID)
		switch {
		case there && same(old, p):
			p = old
		case there:
			steps = append(steps, Step{document.SettingLifecycle, p.ID, Words(old), Words(p)})
		default:
			steps = append(steps, Step{document.SettingLifecycle, p.ID, "", Words(p)})
		}
		after = append(after, p)
	}
	for _, p := range now {
		if _, gone := at[p.ID]; gone {
			steps = append(steps, Step{document.SettingLifecycle, p.ID, Words(p), ""})
		}
	}
	slices.SortStableFunc(steps, func(a, b Step) int { return cmp.Compare(a.Item, b.Item) })
	return after, steps
}

func same(a, b document.CleanupPolicy) bool { return reflect.DeepEqual(plain(a), plain(b)) }

// plain is a policy in the one form that all with its meaning have: prefixes are an OR, and their order means nothing; any
// tags are all versions, as where no state is named.
func plain(p document.CleanupPolicy) document.CleanupPolicy {
	if p.Condition != nil {
		c := *p.Condition
		if c.TagState == document.AnyTags || c.TagState == "TAG_STATE_UNSPECIFIED" {
			c.TagState = ""
		}
		c.TagPrefixes, c.VersionPrefixes, c.PackagePrefixes = sorted(c.TagPrefixes), sorted(c.VersionPrefixes), sorted(c.PackagePrefixes)
		p.Condition = &c
	}
	if p.MostRecent != nil {
		m := *p.MostRecent
		m.PackagePrefixes = sorted(m.PackagePrefixes)
		p.MostRecent = &m
	}
	return p
}

func sorted(list []string) []string {
	if len(list) == 0 {
		return nil
	}
	return slices.Sorted(slices.Values(list))
}

// wrongPolicies says what Artifact Registry would refuse of our policies, or nothing. FACTS B2 [S], [D].
func wrongPolicies(want []document.CleanupPolicy) string {
	if len(want) > cleanup.MaxPolicies {
		return fmt.Sprintf("there are %d, and it allows %d", len(want), cleanup.MaxPolicies)
	}
	seen := map[string]bool{}
	for _, p := range want {
		if reason := wrong(p); reason != "" {
			return fmt.Sprintf("%q %s", p.ID, reason)
		}
		if seen[p.ID] {
			return fmt.Sprintf("%q is there twice", p.ID)
		}
		seen[p.ID] = true
	}
	return ""
}

func wrong(p document.CleanupPolicy) string {
	c := p.Condition
	switch {
	case !cleanup.Ours(p):
		return "does not begin with " + cleanup.Prefix
	case len(p.ID) > cleanup.MaxID:
		return fmt.Sprintf("is longer than %d characters", cleanup.MaxID)
	case p.Action != document.CleanupDelete && p.Action != document.CleanupKeep:
		return fmt.Sprintf("has the action %q, which is neither %s nor %s", p.Action, document.CleanupDelete, document.CleanupKeep)
	case (c == nil) == (p.MostRecent == nil):
		return "needs either a condition or a number of versions to keep"
	case p.MostRecent != nil && p.Action != document.CleanupKeep:
		return "deletes the most recent versions"
	case p.MostRecent != nil && p.MostRecent.KeepCount < 1:
		return "keeps no version"
	case c != nil && (c.OlderThan < 0 || c.NewerThan < 0):
		return "has a negative age"
	case c != nil && reflect.DeepEqual(*c, document.CleanupCondition{}):
		return "has an empty condition"
	}
	return ""
}

func counted(n int) string {
	if n == 1 {
		return "1 clean-up policy"
	}
	return fmt.Sprintf("%d clean-up policies", n)
}

func are(n int) string {
	if n == 1 {
		return "is"
	}
	return "are"
}

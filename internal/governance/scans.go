package governance

import (
	"fmt"
	"strings"

	"transship/internal/document"
	"transship/internal/governance/layout"
)

// How often ECR scans. FACTS A1 [S].
const (
	scanOnPush     = "SCAN_ON_PUSH"
	scanContinuous = "CONTINUOUS_SCAN"
)

// scanning has a repository scanned as its project is, where ECR scans one of the members. Where ECR scans none, what
// there is stays: a protection is never switched off. FACTS C4.
func (g *governor) scanning(group *group) {
	scanned := 0
	for _, m := range group.members {
		if g.frequency(m) != "" {
			scanned++
		}
	}
	if scanned > 0 {
		group.planned.Settings.Scanning = document.ScanningInherited
	}
	for _, m := range group.members {
		t := document.Translation{Setting: document.SettingScanning}
		switch g.frequency(m) {
		case scanOnPush:
			t.Was, t.Becomes = "scanned on push", "scanned as the project is"
			t.Fate = document.FateApproximate
			t.Reason = "Artifact Registry scans on push where the project has the scanning API enabled, and keeps the result fresh for 30 days"
			t.Decide = "enable containerscanning.googleapis.com in the project " + group.planned.URI.Project + " if it is not, and mind its price per image"
		case scanContinuous:
			t.Was, t.Becomes = "scanned continuously", "scanned as the project is"
			t.Fate = document.FateApproximate
			t.Reason = "Artifact Registry keeps a result fresh for 30 days after the last pull or push, not for ever"
			t.Decide = "enable containerscanning.googleapis.com in the project " + group.planned.URI.Project + " if it is not, and mind its price per image"
		default:
			t.Was, t.Fate = "not scanned", document.FateNeedless
			t.Reason = "what the target has stays as it is"
			if scanned > 0 {
				t.Reason = fmt.Sprintf("%s holds others that are scanned, and it will be scanned with them", group.planned.URI)
			}
		}
		m.tell(t)
	}
}

// frequency is how ECR scans m: by its registry's rules, or else by its own setting, which the rules have replaced since.
// Empty where it does not.
func (g *governor) frequency(m *member) string {
	found := ""
	for _, rule := range g.registries[m.URI.Registry].Scans {
		for _, pattern := range rule.Patterns {
			if !matches(pattern, m.Name) {
				continue
			}
			if rule.Frequency == scanContinuous {
				return scanContinuous
			}
			if rule.Frequency == scanOnPush {
				found = scanOnPush
			}
		}
	}
	if found == "" && m.ScanOnPush {
		return scanOnPush
	}
	return found
}

// matches reports whether a wildcard of ECR's, in which * stands for anything, matches name; one without any wildcard
// matches names that it is a part of. FACTS A1 [D].
func matches(pattern, name string) bool {
	parts := strings.Split(pattern, "*")
	if len(parts) == 1 {
		return strings.Contains(name, pattern)
	}
	if !strings.HasPrefix(name, parts[0]) {
		return false
	}
	name = name[len(parts[0]):]
	last := parts[len(parts)-1]
	for _, part := range parts[1 : len(parts)-1] {
		i := strings.Index(name, part)
		if i < 0 {
			return false
		}
		name = name[i+len(part):]
	}
	return strings.HasSuffix(name, last)
}

// Traits returns what decides which repositories can share an Artifact Registry repository.
func Traits(s document.Settings, o Options) func(document.SourceRepository) layout.Traits {
	g := &governor{Config: Config{Settings: s, Options: o}}
	g.index()
	return func(r document.SourceRepository) layout.Traits {
		m := &member{SourceRepository: r, settings: g.settings[r.URI]}
		return layout.TraitsOf(r, m.settings, g.frequency(m) != "", g.keyOf(r.URI).Name)
	}
}

package governance

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	"transship/internal/document"
	"transship/internal/markdown"
)

// Markdown is the report for people: what each target repository gets, what each side would delete, and of every setting
// where it went.
func Markdown(g document.Governance, plan document.Plan) string {
	m := &page{}
	m.line("# What guards the images, and where it went", "")
	m.line(fmt.Sprintf("Made on %s for %s. Layout: %s.", g.MadeAt.UTC().Format("2006-01-02 15:04 UTC"), target(g.Migration), g.Layout), "")
	m.decide(g)
	m.targets(plan)
	m.forecast(g)
	m.line("## Every setting", "")
	for _, r := range g.Registries {
		m.settings(markdown.Code(r.Source.Host()), r.Settings)
	}
	for _, r := range g.Repositories {
		m.settings(markdown.Code(r.Source.String())+" → "+markdown.Code(r.Target.String()), r.Settings)
	}
	for _, r := range g.Targets {
		m.settings(markdown.Code(r.Target.String())+", as a whole", r.Settings)
	}
	return m.b.String()
}

func target(m document.Migration) string {
	if m.Target == "" {
		return "the targets that the mapping names"
	}
	return markdown.Code(m.Target)
}

type page struct{ b strings.Builder }

func (m *page) line(lines ...string) {
	for _, l := range lines {
		m.b.WriteString(l + "\n")
	}
}

// row is one of a table. Its first cell is Markdown of our own; the others are texts.
func (m *page) row(first string, cells ...string) {
	m.b.WriteString("| " + first)
	for _, c := range cells {
		m.b.WriteString(" | " + markdown.Text(c))
	}
	m.b.WriteString(" |\n")
}

// decide lists what a person must decide.
func (m *page) decide(g document.Governance) {
	m.line("## To decide", "")
	n := 0
	each := func(of string, list []document.Translation) {
		for _, t := range list {
			if t.Decide != "" && (t.Fate == document.FateRefused || t.Fate == document.FateApproximate) {
				n++
				m.line(fmt.Sprintf("- [ ] %s, %s: %s. %s %s", markdown.Code(of), named(t), markdown.Text(t.Was), markdown.Text(Sentence(t.Reason)), markdown.Text(Sentence(t.Decide))))
			}
		}
	}
	for _, r := range g.Registries {
		each(r.Source.Host(), r.Settings)
	}
	for _, r := range g.Repositories {
		each(r.Source.Name, r.Settings)
	}
	for _, r := range g.Targets {
		each(r.Target.String(), r.Settings)
	}
	if n == 0 {
		m.line("Nothing.")
	}
	m.line("")
}

func named(t document.Translation) string {
	if t.Item == "" {
		return t.Setting
	}
	return t.Setting + " " + markdown.Text(t.Item)
}

func (m *page) targets(plan document.Plan) {
	m.line("## What the target repositories get", "", "| repository | clean-up policies (dry run) | labels | scanning | key | immutable tags |", "|---|---|---|---|---|---|")
	for _, r := range plan.Repositories {
		s := r.Settings
		ids := make([]string, 0, len(s.Cleanup))
		for _, p := range s.Cleanup {
			ids = append(ids, p.ID)
		}
		immutable := "no"
		if s.ImmutableTags {
			immutable = "at the end"
		}
		labels := make([]string, 0, len(s.Labels))
		for _, k := range slices.Sorted(maps.Keys(s.Labels)) {
			labels = append(labels, k+"="+s.Labels[k])
		}
		m.row(markdown.CodeCell(r.URI.String()), dash(strings.Join(ids, ", ")), dash(strings.Join(labels, ", ")), dash(s.Scanning), dash(s.KMSKey), immutable)
	}
	m.line("")
}

func (m *page) forecast(g document.Governance) {
	begun := false
	for _, r := range g.Repositories {
		if len(r.Doomed) == 0 {
			continue
		}
		if !begun {
			begun = true
			m.line("## What each side would delete", "", "If nothing else were pushed. Ages count from the upload into Artifact Registry (not confirmed), so they begin anew there.", "",
				"| repository | today: ECR / AR | 30 days | 90 days | a year |", "|---|---|---|---|---|")
		}
		cells := make([]string, 0, len(document.Horizons))
		for _, days := range document.Horizons {
			source, target := r.DoomedWithin(days)
			cells = append(cells, fmt.Sprintf("%d / %d", source, target))
		}
		m.row(markdown.CodeCell(r.Source.Name), cells...)
	}
	if begun {
		m.line("")
		m.doomed(g)
	}
}

// doomedShown is how many images of a repository are listed; governance.json has all.
const doomedShown = 25

// doomed lists the images that one of the sides would delete within a year.
func (m *page) doomed(g document.Governance) {
	m.line("| image | tags | ECR deletes it | Artifact Registry deletes it |", "|---|---|---|---|")
	by := func(days int) string {
		switch days {
		case document.Never:
			return "no"
		case 0:
			return "today"
		}
		return fmt.Sprintf("within %d days", days)
	}
	for _, r := range g.Repositories {
		for _, d := range r.Doomed[:min(len(r.Doomed), doomedShown)] {
			m.row(markdown.CodeCell(r.Source.Name+"@"+d.Digest.String()), strings.Join(d.Tags, ", "), by(d.Source), by(d.Target))
		}
		if more := len(r.Doomed) - doomedShown; more > 0 {
			m.row(markdown.CodeCell(r.Source.Name), fmt.Sprintf("and %d more, in governance.json", more), "", "")
		}
	}
	m.line("")
}

func (m *page) settings(title string, list []document.Translation) {
	if len(list) == 0 {
		return
	}
	m.line("### "+title, "", "| setting | in ECR | in Artifact Registry | | |", "|---|---|---|---|---|")
	for _, t := range list {
		m.row(named(t), t.Was, dash(t.Becomes), string(t.Fate), strings.TrimSpace(Sentence(t.Reason)+" "+Sentence(t.Decide)))
	}
	m.line("")
}

// Sentence is s as one or several, or nothing: with a capital at its beginning, unless that is a name, and a full stop.
func Sentence(s string) string {
	s = strings.TrimRight(s, ". ")
	if s == "" {
		return ""
	}
	if first, _, _ := strings.Cut(s, " "); !strings.ContainsAny(first, "-./:") {
		s = strings.ToUpper(s[:1]) + s[1:]
	}
	return s + "."
}

func dash(s string) string {
	if s == "" {
		return "–"
	}
	return s
}

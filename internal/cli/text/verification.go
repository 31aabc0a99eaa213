package text

import (
	"cmp"
	"fmt"
	"io"
	"slices"
	"strings"

	"transship/internal/cli/term"
	"transship/internal/document"
	"transship/internal/verify"
)

// Verification says whether everything arrived. The path is where the document is; empty where it is nowhere.
func Verification(w io.Writer, o Options, v document.Verification, path string) {
	p, n := newPage(w, o), newNames(v.Migration)
	p.verdict(v)
	p.verifyCounts(v)
	p.cases(v, document.CaseMissing, "Missing", p.s.Bad, n, path)
	p.cases(v, document.CaseMismatched, "Mismatched", p.s.Bad, n, path)
	if len(v.Failures) > 0 {
		p.section("Could not be looked at", p.s.Bad(term.Number(len(v.Failures))))
		p.failures(v.Failures, n, path)
	}
	p.excluded(v, n, path)
	p.extra(v, n, path)
	next := ""
	switch {
	case v.Missing > 0 || v.Mismatched > 0:
		next = `Next: "transship copy" mends what changed at the target; where the source changed, too, "transship migrate" does.`
	case len(v.Failures) > 0:
		next = `Next: see to what could not be looked at, then run "transship verify" again.`
	case v.Verified > 0:
		next = nextVerified
	}
	p.end(next, path)
}

const nextVerified = `Next: "transship rewrite" moves the references in a team's files; "transship report" writes it all down for whoever signs.`

// Migrated is how a migration ends of which nothing failed: its outcome, which is far above by then.
func Migrated(w io.Writer, o Options, v document.Verification) {
	p := newPage(w, o)
	p.blank()
	if v.Verified == 0 {
		p.say(0, "Complete: there was no image to migrate.", p.s.Warn)
		return
	}
	left := ""
	if v.Excluded > 0 {
		left = " " + term.Number(v.Excluded) + " left out by a rule, as said above."
	}
	p.say(0, "Complete: "+verb(v.Verified, "", "all ")+pieces(v.Verified)+" arrived, with the digests of ECR."+left, p.s.Good)
	p.say(0, nextVerified, nil)
}

func (p *page) verdict(v document.Verification) {
	deep := ""
	if v.Deep && v.Blobs > 0 {
		deep = ", with " + verb(v.Blobs, "", "all ") + term.Count(v.Blobs, "blob")
	}
	var wrong []string
	for _, c := range []struct {
		n    int
		what string
	}{{v.Missing, "missing"}, {v.Mismatched, "mismatched"}, {len(v.Failures), "could not be looked at"}} {
		if c.n > 0 {
			wrong = append(wrong, term.Number(c.n)+" "+c.what)
		}
	}
	switch {
	case !verify.OK(v):
		p.say(0, "Not verified: "+strings.Join(wrong, ", "), p.s.Bad)
	case v.Verified == 0:
		p.say(0, "Nothing to verify: no image of the source is to be at the target", p.s.Warn)
	default:
		p.say(0, "Verified: "+verb(v.Verified, "", "all ")+pieces(v.Verified)+" arrived"+deep, p.s.Good)
	}
}

func (p *page) verifyCounts(v document.Verification) {
	t := &term.Table{Indent: item, Columns: []term.Column{{}, {Right: true}, {Mark: p.s.Faint}}}
	row := func(n int, label, meaning string) {
		if n > 0 {
			t.Row(label, term.Number(n), meaning)
		}
	}
	row(v.Verified, "verified", "at the target, with the right digest")
	row(v.Missing, "missing", "not at the target, or not whole")
	row(v.Mismatched, "mismatched", "at the target with another digest")
	row(v.Excluded, "excluded", "left out by a rule")
	row(v.Extra, "extra", "only at the target: no failure")
	row(v.Blobs, "blobs", "asked for")
	p.table(t)
}

func casesOf(v document.Verification, kind document.CaseKind) []document.Case {
	var out []document.Case
	for _, c := range v.Cases {
		if c.Kind == kind {
			out = append(out, c)
		}
	}
	return out
}

// cases lists what is wrong: both digests, and why that may be.
func (p *page) cases(v document.Verification, kind document.CaseKind, title string, mark func(string) string, n names, path string) {
	list := casesOf(v, kind)
	if len(list) == 0 {
		return
	}
	p.section(title, mark(term.Number(len(list))))
	shown := p.most(len(list), maxCases)
	for _, c := range list[:shown] {
		p.line(item, mark(p.middle(caseName(c, n), item)))
		target := described(c.TargetDigest, "not there")
		p.line(detail, p.s.Faint("source ")+described(c.SourceDigest, "not there")+p.s.Faint("  target ")+target)
		if c.Blob != "" {
			p.line(detail, p.s.Faint("blob   ")+term.ShortDigest(c.Blob))
		}
		p.say(detail, c.Cause, nil)
	}
	p.more(item, len(list)-shown, allIn(path))
}

// caseName names a case by its target, and by its source where that has another name.
func caseName(c document.Case, n names) string {
	target, source := n.targetText(c.Target), ""
	if c.Source.Name != "" {
		source = n.source(c.Source)
	}
	name := cmp.Or(target, source, "?")
	if c.Tag == "" {
		return reference(name, "", cmp.Or(c.SourceDigest, c.TargetDigest))
	}
	return reference(name, c.Tag, "")
}

// excluded counts what the rules left out, by rule, with the first cause.
func (p *page) excluded(v document.Verification, n names, path string) {
	list := casesOf(v, document.CaseExcluded)
	if len(list) == 0 {
		return
	}
	p.section("Excluded", term.Number(len(list))+" by rule")
	groups := map[string][]document.Case{}
	for _, c := range list {
		groups[c.Rule] = append(groups[c.Rule], c)
	}
	var rules []string
	for rule := range groups {
		rules = append(rules, rule)
	}
	slices.SortFunc(rules, func(a, b string) int { return cmp.Or(len(groups[b])-len(groups[a]), cmp.Compare(a, b)) })
	for _, rule := range rules {
		g := groups[rule]
		p.line(item, p.s.Bold(term.Clean(cmp.Or(ruleTitle(rule), "no rule")))+"  "+term.Number(len(g)))
		if asked(rule) && !p.o.All {
			continue
		}
		shown := p.most(len(g), maxNames)
		for _, c := range g[:shown] {
			name := n.source(c.Source)
			p.line(detail, p.middle(reference(name, c.Tag, c.SourceDigest), detail))
		}
		p.more(detail, len(g)-shown, allIn(path))
		p.say(detail+2, g[0].Cause, p.s.Faint)
		if different := countCauses(g); different > 1 {
			p.line(detail+2, p.s.Faint(fmt.Sprintf("(the first of %s)", term.Count(different, "reason"))))
		}
	}
}

func countCauses(list []document.Case) int {
	causes := map[string]bool{}
	for _, c := range list {
		causes[c.Cause] = true
	}
	return len(causes)
}

func (p *page) extra(v document.Verification, n names, path string) {
	list := casesOf(v, document.CaseExtra)
	if len(list) == 0 {
		return
	}
	p.section("Extra", term.Number(len(list))+", only at the target: no failure")
	shown := p.most(len(list), maxNames)
	for _, c := range list[:shown] {
		p.line(item, p.middle(caseName(c, n), item))
	}
	p.more(item, len(list)-shown, allIn(path))
}

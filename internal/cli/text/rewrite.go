package text

import (
	"cmp"
	"fmt"
	"io"
	"slices"
	"strconv"

	"transship/internal/cli/term"
	"transship/internal/document"
	"transship/internal/rewrite"
	"transship/internal/rewrite/cluster"
	"transship/internal/rewrite/mention"
)

// RewriteReport is what there is to say of a rewrite.
type RewriteReport struct {
	Document document.Rewriting
	Report   rewrite.Report
	Path     string // where the document is; empty where it is nowhere
	Findings string // where the findings are, likewise
}

// Rewriting says what was, or would be, changed, and what must be decided.
func Rewriting(w io.Writer, o Options, r RewriteReport) {
	p := newPage(w, o)
	p.rewriteVerdict(r)
	p.rewrittenFiles(r.Document.Edits)
	p.untold(r.Report)
	p.findings(r)
	p.blank()
	p.written(r.Path)
	p.written(r.Findings)
}

func (p *page) rewriteVerdict(r RewriteReport) {
	where := " to Artifact Registry"
	if r.Document.Reverse {
		where = " back to ECR"
	}
	edits := term.Count(len(r.Document.Edits), "reference")
	files := term.Count(r.Report.Changed(), "file")
	switch {
	case len(r.Document.Edits) == 0 && len(r.Report.Findings) == 0:
		p.say(0, "Nothing is left to move or to decide in "+term.Count(r.Document.Files, "file"), p.s.Good)
	case len(r.Document.Edits) == 0:
		p.say(0, "Nothing can be moved in "+term.Count(r.Document.Files, "file"), p.s.Warn)
	case r.Document.Written:
		p.say(0, "Moved "+edits+" in "+files+where, p.s.Good)
	default:
		p.say(0, edits+" in "+files+" can move"+where+`: "--write" changes them`, p.s.Good)
	}
	if n := len(r.Report.Findings); n > 0 {
		p.say(0, term.Count(n, "finding")+" to decide, the most dangerous first", p.s.Warn)
	}
}

// rewrittenFiles counts the edits of each file.
func (p *page) rewrittenFiles(edits []document.Reworded) {
	var names []string
	count := map[string]int{}
	for _, e := range edits {
		if count[e.File]++; count[e.File] == 1 {
			names = append(names, e.File)
		}
	}
	if len(names) == 0 {
		return
	}
	p.section("Files", "")
	t := &term.Table{Indent: item, Columns: []term.Column{{Shrink: true}, {Right: true}}}
	shown := p.most(len(names), maxRows)
	for _, name := range names[:shown] {
		t.Row(name, term.Number(count[name]))
	}
	p.table(t)
	p.more(item, len(names)-shown, " (-v shows all)")
}

// untold says what was not looked at, and what stays without a word.
func (p *page) untold(r rewrite.Report) {
	t := &term.Table{Indent: item, Columns: []term.Column{{Right: true}, {}}}
	row := func(n int, one, many string) {
		if n > 0 {
			t.Row(term.Number(n), verb(n, one, many))
		}
	}
	row(r.AWS, "reference to an image of AWS's own accounts: it stays", "references to images of AWS's own accounts: they stay")
	row(r.Ignored, "file or folder that git ignores", "files and folders that git ignores")
	row(r.Vendored, "vendored folder", "vendored folders")
	row(r.Binary, "binary file", "binary files")
	row(r.Links, "link", "links")
	row(r.Special, "pipe, socket or device", "pipes, sockets and devices")
	if t.Len() > 0 {
		p.section("Left alone", "")
		p.table(t)
	}
}

// findings lists them by kind, and those of a kind by what there is to do.
func (p *page) findings(r RewriteReport) {
	all := r.Report.Findings
	where := allIn(cmp.Or(r.Findings, r.Path))
	for len(all) > 0 {
		n := 1
		for n < len(all) && all[n].Kind == all[0].Kind {
			n++
		}
		p.findingsOf(all[:n], where)
		all = all[n:]
	}
}

func (p *page) findingsOf(list []mention.Finding, where string) {
	about := list[0].Kind.About()
	mark := map[mention.Level]func(string) string{mention.Danger: p.s.Bad, mention.Warning: p.s.Warn, mention.Note: p.s.Faint}[about.Level]
	p.section(string(list[0].Kind), mark(term.Number(len(list)))+"  "+about.Short)
	type advice struct{ why, do string }
	groups := map[advice][]mention.Finding{}
	var order []advice
	for _, f := range list {
		a := advice{f.Why, f.Do}
		if groups[a] == nil {
			order = append(order, a)
		}
		groups[a] = append(groups[a], f)
	}
	shownGroups := p.most(len(order), maxCases)
	for _, a := range order[:shownGroups] {
		group := groups[a]
		shown := p.most(len(group), maxNames)
		for _, f := range group[:shown] {
			place := f.File
			if f.Line > 0 {
				place += ":" + strconv.Itoa(f.Line)
			}
			p.line(item, p.s.Bold(p.middle(place, item)))
			if f.Text != "" {
				p.line(detail, term.Clean(f.Text))
			}
		}
		p.more(item, len(group)-shown, where)
		p.say(detail, a.why, p.s.Faint)
		if a.do != "" {
			p.say(detail, "To do: "+a.do, nil)
		}
	}
	rest := 0
	for _, a := range order[shownGroups:] {
		rest += len(groups[a])
	}
	p.more(item, rest, where)
}

// Cluster says what of a cluster still uses ECR. The list is where its images are for --first; empty where nowhere.
func Cluster(w io.Writer, o Options, u cluster.Uses, list string) {
	p := newPage(w, o)
	if len(u.Uses) == 0 {
		p.say(0, "Nothing of "+term.Count(u.Objects, "object")+" uses ECR", p.s.Good)
		return
	}
	workloads, images, migrated := map[[3]string]bool{}, map[string]bool{}, 0
	for _, use := range u.Uses {
		workloads[[3]string{use.Namespace, use.Kind, use.Name}] = true
		if use.Migrated && !images[use.Image] {
			migrated++
		}
		images[use.Image] = true
	}
	p.say(0, fmt.Sprintf("%s of %s %s ECR, for %s, of which %s at the target", term.Count(len(workloads), "workload"), term.Count(u.Objects, "object"),
		verb(len(workloads), "uses", "use"), term.Count(len(images), "image"), term.Number(migrated)+" "+verb(migrated, "is", "are")), p.s.Warn)
	p.blank()
	t := &term.Table{Indent: item, Columns: []term.Column{{Head: "Namespace", Shrink: true}, {Head: "Workload", Shrink: true}, {Head: "Image", Shrink: true}, {Head: "At the target"}}}
	shown := p.most(len(u.Uses), maxRows)
	for _, use := range u.Uses[:shown] {
		there := "no"
		switch {
		case use.Migrated:
			there = "yes"
		case !use.Own:
			there = "other registry"
		}
		t.Row(use.Namespace, use.Kind+"/"+use.Name, use.Image, there)
	}
	p.table(t)
	p.more(item, len(u.Uses)-shown, " (-v shows all)")
	why := map[string]int{}
	for _, use := range u.Uses {
		if use.Own && !use.Migrated {
			why[use.Why]++
		}
	}
	if len(why) > 0 {
		p.section("Not at the target", "")
		reasons := make([]string, 0, len(why))
		for r := range why {
			reasons = append(reasons, r)
		}
		slices.SortFunc(reasons, func(a, b string) int { return cmp.Or(why[b]-why[a], cmp.Compare(a, b)) })
		shown := p.most(len(reasons), maxReasons)
		for _, r := range reasons[:shown] {
			p.say(item, term.Number(why[r])+": "+r, nil)
		}
		p.more(item, len(reasons)-shown, " (--json has all)")
	}
	p.blank()
	p.written(list)
}

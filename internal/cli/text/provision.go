package text

import (
	"io"
	"slices"
	"strings"

	"transship/internal/cli/term"
	"transship/internal/document"
	"transship/internal/governance/desired"
	"transship/internal/provision"
	"transship/internal/ref"
)

// Changes says what will become of the target's repositories, setting by setting, so that it can be agreed to.
func Changes(w io.Writer, o Options, changes []desired.Change) {
	p := newPage(w, o)
	var created, changed []desired.Change
	var left []provision.LeftOut
	for _, c := range changes {
		switch {
		case c.Create:
			created = append(created, c)
		case len(c.Steps) > 0:
			changed = append(changed, c)
		}
		for _, l := range c.LeftOut {
			left = append(left, provision.LeftOut{Repository: c.Repository, LeftOut: l})
		}
	}
	apart := p.apart()
	p.willBecome("Will create", created, apart)
	p.willBecome("Will change", changed, apart)
	p.leftOut(left, apart)
}

// apart returns what begins a section: the first of a page is not apart from anything.
func (p *page) apart() func(title, rest string) {
	begin := p.title
	return func(title, rest string) {
		begin(title, rest)
		begin = p.section
	}
}

func (p *page) willBecome(title string, changes []desired.Change, begin func(title, rest string)) {
	if len(changes) == 0 {
		return
	}
	begin(title, term.Count(len(changes), "repository"))
	shown := p.most(len(changes), maxRows)
	for _, c := range changes[:shown] {
		p.line(item, p.middle(c.Repository.String(), item))
		last := ""
		steps := p.most(len(c.Steps), maxRows)
		for _, s := range c.Steps[:steps] {
			label := settingWord(s.Setting)
			if label == last {
				label = ""
			} else {
				last = label
			}
			p.entry(label, stepText(s))
		}
		p.more(detail, len(c.Steps)-steps, " settings (-v shows all)")
	}
	p.more(item, len(changes)-shown, " (-v shows all)")
}

// stepColumn is where the text of a step begins, gap columns behind its label at least.
const (
	stepColumn = detail + 10
	gap        = 2
)

// entry writes a label and, beside it, a paragraph, below an item.
func (p *page) entry(label, text string) {
	width := 0
	if p.o.Width > 0 {
		width = p.o.Width - stepColumn
	}
	for n, line := range term.Wrap(term.Clean(text), width) {
		head := ""
		if n == 0 {
			head = label
		}
		p.line(detail, p.s.Faint(head)+strings.Repeat(" ", max(1, stepColumn-detail-term.Width(head)))+line)
	}
}

func settingWord(setting string) string {
	switch setting {
	case document.SettingEncryption:
		return "key"
	case document.SettingLifecycle:
		return "clean-up"
	case document.SettingImmutability:
		return "tags"
	}
	return term.Fit(term.Clean(setting), stepColumn-detail-gap)
}

func stepText(s desired.Step) string {
	between, text := ": ", s.To
	switch {
	case s.Setting == document.SettingLabel:
		between = "="
	case s.Item == desired.DryRun:
		between = " "
	}
	switch {
	case s.To == "" && s.Setting == document.SettingLifecycle:
		return "without " + s.Item + between + s.From
	case s.From != "":
		text = s.From + " → " + s.To
	}
	if s.Item == "" {
		return text
	}
	return s.Item + between + text
}

func (p *page) leftOut(list []provision.LeftOut, begin func(title, rest string)) {
	if len(list) == 0 {
		return
	}
	begin("Left out", p.s.Warn(term.Count(len(list), "setting")))
	shown := p.most(len(list), maxCases)
	for _, l := range list[:shown] {
		p.line(item, p.middle(l.Repository.String(), item))
		p.entry(settingWord(l.Setting), l.Reason+".")
		p.say(detail, "To do: "+l.Remedy+".", p.s.Bold)
	}
	p.more(item, len(list)-shown, " (-v shows all)")
}

// Provision says which repositories were created and changed, and which were as planned, and what is left to do.
func Provision(w io.Writer, o Options, r provision.Result) {
	p := newPage(w, o)
	apart := p.apart()
	changed := make([]ref.TargetRepository, 0, len(r.Changed))
	for _, c := range r.Changed {
		changed = append(changed, c.Repository)
	}
	switch {
	case !r.Nothing():
	case len(r.Unchanged) == 0:
		apart("Nothing to create", "the plan needs no repository")
	default:
		apart("Nothing to create or change", "")
		p.repositories(r.Unchanged)
	}
	p.done("Created", r.Created, apart)
	p.done("Changed", changed, apart)
	if !r.Nothing() && len(r.Unchanged) > 0 {
		apart("Left as it is", term.Count(len(r.Unchanged), "repository"))
		p.repositories(r.Unchanged)
	}
	if r.Nothing() {
		p.leftOut(r.LeftOut, apart)
	} else if n := len(r.LeftOut); n > 0 { // whoever agreed has read which, and why
		apart("Left out, as said above", p.s.Warn(term.Count(n, "setting")))
	}
	if !o.Row {
		p.afterwards(r)
	}
}

// Afterwards says what is left to do once the repositories are as planned and the images are there.
func Afterwards(w io.Writer, o Options, r provision.Result) { newPage(w, o).afterwards(r) }

func (p *page) done(title string, list []ref.TargetRepository, begin func(title, rest string)) {
	if len(list) == 0 {
		return
	}
	begin(title, p.s.Good(term.Count(len(list), "repository")))
	p.repositories(list)
}

func (p *page) repositories(list []ref.TargetRepository) {
	shown := p.most(len(list), maxRows)
	for _, r := range list[:shown] {
		p.line(item, p.middle(r.String(), item))
	}
	p.more(item, len(list)-shown, " (-v shows all)")
}

// afterwards says how clean-up policies are put to work, and tags made immutable.
func (p *page) afterwards(r provision.Result) {
	if n := len(r.DryRun); n > 0 {
		p.section("Clean-up is in dry run", term.Count(n, "repository"))
		p.say(item, "The clean-up policies delete nothing yet. What they would delete, Artifact Registry writes into its audit logs "+
			"within a day or so (the project's Data Access logs must record data writes of Artifact Registry):", nil)
		p.audited(r.DryRun)
		p.blank()
		p.say(item, "When you are content, put them to work:", nil)
		p.putToWork(r.DryRun)
	}
	if n := len(r.Unfinished); n > 0 {
		p.section("Tags can be moved", term.Count(n, "repository"))
		p.say(item, `The plan wants their tags immutable. Once everything is copied and nobody moves tags any more, run "transship provision --finish".`, nil)
	}
}

// audited shows what clean-up policies in dry run would have deleted in each of the projects. [D]
func (p *page) audited(list []ref.TargetRepository) {
	var projects []string
	for _, r := range list {
		if !slices.Contains(projects, r.Project) {
			projects = append(projects, r.Project)
		}
	}
	shown := p.most(len(projects), maxReasons)
	for _, project := range projects[:shown] {
		p.blank()
		p.whole(item, "gcloud logging read --project="+project+" '")
		p.whole(item, `protoPayload.serviceName="artifactregistry.googleapis.com"`)
		p.whole(item, "protoPayload.request.validateOnly=true'")
	}
	p.more(item, len(projects)-shown, " (-v shows all)")
}

// putToWork ends the dry run of each; the policies are not sent again. FACTS E2 [S].
func (p *page) putToWork(list []ref.TargetRepository) {
	shown := p.most(len(list), maxReasons)
	for _, r := range list[:shown] {
		p.blank()
		p.whole(item, "gcloud artifacts repositories set-cleanup-policies \\")
		p.whole(detail, r.ID+" --location="+r.Location+" --project="+r.Project+" \\")
		p.whole(detail, "--no-dry-run")
	}
	p.more(item, len(list)-shown, " (-v shows all)")
}

// whole writes a line that is not cut, for what is to be copied from it.
func (p *page) whole(indent int, text string) {
	_, _ = io.WriteString(p.w, strings.Repeat(" ", indent)+term.Clean(text)+"\n")
}

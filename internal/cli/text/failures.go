package text

import (
	"cmp"
	"strings"

	"transship/internal/cli/term"
	"transship/internal/document"
)

// failures lists what went wrong: which image, why, and what to do about it.
func (p *page) failures(list []document.Failure, n names, path string) {
	shown := p.most(len(list), maxCases)
	for i, f := range list[:shown] {
		p.failure(f, n)
		if f.Hint != "" && (i+1 == shown || list[i+1].Hint != f.Hint) { // once for a row of failures with one remedy
			p.say(detail, "To do: "+f.Hint, p.s.Bold)
		}
	}
	p.more(item, len(list)-shown, allIn(path))
}

func (p *page) failure(f document.Failure, n names) {
	source, target := n.sourceText(f.Source), n.targetText(f.Target)
	name := cmp.Or(source, target, "the run")
	if source != "" && target != "" && source != target {
		name = source + " → " + target
	}
	p.line(item, p.s.Bad(p.middle(name, item)))
	text := f.What()
	for _, said := range []string{f.Source, f.Target} { // in the line above
		if said != "" {
			text = strings.ReplaceAll(text, " "+said+":", ":")
		}
	}
	p.say(detail, text, nil)
}

// middle cleans a name and cuts its middle so that it fits behind an indentation.
func (p *page) middle(name string, indent int) string {
	name = term.Clean(name)
	if p.o.Width == 0 {
		return name
	}
	return term.Middle(name, p.o.Width-indent)
}

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
	for _, f := range list[:shown] {
		p.failure(f, n)
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
	text := f.Error
	if f.Hint != "" { // an error of a cloud holds its hint
		text = strings.ReplaceAll(text, " ("+f.Hint+")", "")
	}
	if f.Class != "" && f.Class != "unknown" && !strings.HasPrefix(text, f.Class) {
		text = f.Class + ": " + text
	}
	p.say(detail, text, nil)
	if f.Hint != "" {
		p.say(detail, "To do: "+f.Hint, p.s.Bold)
	}
}

// middle cleans a name and cuts its middle so that it fits behind an indentation.
func (p *page) middle(name string, indent int) string {
	name = term.Clean(name)
	if p.o.Width == 0 {
		return name
	}
	return term.Middle(name, p.o.Width-indent)
}

package text

import (
	"io"

	"transship/internal/cli/term"
	"transship/internal/provision"
	"transship/internal/ref"
)

// Provision says which repositories were created and which were there.
func Provision(w io.Writer, o Options, r provision.Result) {
	p := newPage(w, o)
	switch {
	case len(r.Created) > 0:
		p.title("Created", p.s.Good(term.Count(len(r.Created), "repository")))
		p.repositories(r.Created)
	case len(r.Existing) > 0:
		p.title("Nothing to create", "")
	default:
		p.title("Nothing to create", "the plan needs no repository")
		return
	}
	if len(r.Existing) > 0 {
		if len(r.Created) > 0 {
			p.section("Left as it is", term.Count(len(r.Existing), "repository"))
		}
		p.repositories(r.Existing)
	}
}

func (p *page) repositories(list []ref.TargetRepository) {
	shown := p.most(len(list), maxRows)
	for _, r := range list[:shown] {
		p.line(item, p.middle(r.String(), item))
	}
	p.more(item, len(list)-shown, " (-v shows all)")
}

package text

import (
	"io"
	"path/filepath"
	"strings"

	"transship/internal/cli/term"
	"transship/internal/governance/access"
	"transship/internal/provision"
)

// AccessFiles says which files for review were written, and what is open in them.
func AccessFiles(w io.Writer, o Options, f provision.AccessFiles, s access.Suggestions, dir string) {
	p := newPage(w, o)
	switch {
	case len(s.Grants) == 0:
		p.say(0, "No policy of ECR suggests a role on a target repository", p.s.Good)
	case f.Open > 0:
		p.say(0, "Suggested: "+term.Count(len(s.Grants), "role")+"; "+term.Number(f.Open)+" of them to decide about", p.s.Warn)
	default:
		p.say(0, "Suggested: "+term.Count(len(s.Grants), "role"), p.s.Good)
	}
	p.files("Written", "", f.Written)
	p.files("Unchanged", "", f.Unchanged)
	p.files("Kept", "somebody changed them: see NAME.new.yaml beside each", f.Kept)
	p.files("Left over", "nothing is suggested for them any more", f.Stale)
	p.files("About nobody", "entries that match no principal", f.Dead)
	if len(s.Grants) > 0 {
		p.next("Nothing has been granted. Fill in " + filepath.Join(dir, access.PrincipalsName+".yaml") +
			`, run the same command again, read the files, then: transship provision --iam ` + dir + ` --apply NAME`)
	}
}

func (p *page) files(title, why string, paths []string) {
	if len(paths) == 0 {
		return
	}
	p.section(title, why)
	shown := p.most(len(paths), maxRows)
	for _, path := range paths[:shown] {
		p.say(item, path, nil)
	}
	p.more(item, len(paths)-shown, " (-v shows all)")
}

// AccessChanges says what reviewed files would add to what is there.
func AccessChanges(w io.Writer, o Options, changes []provision.AccessChange) {
	p := newPage(w, o)
	for i, c := range changes {
		if i > 0 {
			p.blank()
		}
		p.title(term.Clean(c.Repository.String()), "")
		for _, m := range c.Missing {
			p.say(item, "+ "+wish(m), p.s.Good)
		}
		for _, m := range c.Present {
			p.say(item, "  "+wish(m)+", there already", p.s.Faint)
		}
		if len(c.Missing) == 0 {
			p.say(item, "nothing to add", nil)
		}
		if c.Left > 0 {
			p.say(item, term.Count(c.Left, "suggestion")+" of the file with apply: false", p.s.Faint)
		}
	}
}

// AccessApplied says what was added.
func AccessApplied(w io.Writer, o Options, r provision.AccessResult) {
	p := newPage(w, o)
	n, present := 0, 0
	for _, c := range r.Applied {
		n, present = n+len(c.Missing), present+len(c.Present)
	}
	p.title("Given", p.s.Good(term.Count(n, "role")))
	if present > 0 {
		p.labelled("left", term.Count(present, "role")+" that "+verb(present, "was", "were")+" there", nil)
	}
}

func wish(w access.Wish) string {
	member := w.Member
	if strings.HasPrefix(member, "all") {
		member += " (the public)"
	}
	return w.Role + " for " + member
}

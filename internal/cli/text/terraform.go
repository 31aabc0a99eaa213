package text

import (
	"io"

	"transship/internal/cli/term"
)

// Terraform says what was written into a folder, and what to do with it.
func Terraform(w io.Writer, o Options, dir string, repositories, imported int) {
	p := newPage(w, o)
	p.title("Terraform", p.s.Good(term.Count(repositories, "repository")))
	p.say(item, "Written to "+dir+": access.tf, imports.tf, repositories.tf and versions.tf.", nil)
	if imported > 0 {
		p.say(item, term.Count(imported, "repository")+" "+verb(imported, "exists already, and is imported.", "exist already, and are imported."), nil)
	}
	p.next(`See what it would do with "terraform init" and "terraform plan" there.`)
}

// Written says which files were written, and what comes next.
func Written(w io.Writer, o Options, paths []string, next string) {
	p := newPage(w, o)
	p.title("Written", p.s.Good(term.Count(len(paths), "file")))
	for _, path := range paths {
		p.say(item, path, nil)
	}
	p.next(next)
}

package cli

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"strings"

	"transship/internal/cli/term"
	"transship/internal/cli/text"
	"transship/internal/document"
	"transship/internal/rewrite"
	"transship/internal/rewrite/cluster"
	"transship/internal/rewrite/proved"
	"transship/internal/workspace"
)

// cluster says what in a cluster still uses ECR. Where nothing was verified yet, nothing counts as migrated: the list is
// for the first copy, too.
func (a *app) cluster(r rewriting) error {
	s, err := a.settings()
	if err != nil {
		return err
	}
	j := &job{workspace: &workspace.Workspace{Dir: s.Workspace}}
	if _, statErr := os.Stat(j.workspace.Verification()); r.migrated == "" && errors.Is(statErr, fs.ErrNotExist) {
		if len(s.sources) == 0 {
			if err := s.complete(); err != nil {
				return err
			}
		}
		j.known = proved.Nothing(s.registries())
	} else if r.migrated != "" {
		err = j.listed(s, r.migrated, proved.Options{})
	} else {
		err = j.verified(s, proved.Options{})
	}
	if err != nil {
		return err
	}
	uses, _, err := a.readCluster(r.cluster, j.known)
	if err != nil {
		return err
	}
	if r.listing != "" {
		if err := writeList(r.listing, uses.First()); err != nil {
			return err
		}
	}
	if a.flags.json {
		err = document.Encode(a.streams.Out, uses)
	} else {
		a.breathe()
		text.Cluster(a.streams.Out, a.words(), uses, r.listing)
	}
	if err == nil && len(uses.Uses) > 0 {
		err = &incompleteError{term.Count(len(uses.Uses), "use") + " of ECR"}
	}
	return err
}

// readCluster reads what a cluster uses of ECR from the file at path, or the standard input for "-". name is what to call it.
func (a *app) readCluster(path string, known *proved.Known) (uses cluster.Uses, name string, err error) {
	in, name := a.streams.In, "the standard input"
	if path != "-" {
		file, err := os.Open(path)
		if err != nil {
			return uses, path, usagef("--cluster: %w", err)
		}
		defer file.Close()
		in, name = file, path
	}
	if uses, err = cluster.Read(in, known, rewrite.OfAWS); err != nil {
		err = usagef("--cluster: %s: %w", name, err)
	}
	return uses, name, err
}

// writeList writes one image a line.
func writeList(path string, images []string) error {
	file, err := os.Create(path)
	if err != nil {
		return err
	}
	_, err = io.WriteString(file, strings.Join(append(images, ""), "\n"))
	if err := errors.Join(err, file.Close()); err != nil {
		return fmt.Errorf("write %s: %w", path, err)
	}
	return nil
}

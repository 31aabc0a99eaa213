package provision

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"transship/internal/document"
	"transship/internal/governance/access"
	"transship/internal/ref"
)

const (
	reviewSuffix = ".yaml"
	newSuffix    = ".new" // before reviewSuffix: what would have been written over somebody's work
)

// AccessFiles is what became of the files for review.
type AccessFiles struct {
	Written   []string `json:"written"`   // paths of those that are new or were as Transship had left them
	Unchanged []string `json:"unchanged"` // they say the same already, or what was suggested is what they were made of
	Kept      []string `json:"kept"`      // somebody changed them: what is suggested now is beside each, in NAME.new.yaml
	Stale     []string `json:"stale"`     // of Transship, and nothing is suggested for them any more
	Dead      []string `json:"dead"`      // entries of principals.yaml that are about nobody
	Open      int      `json:"open"`      // grants that somebody must decide about
	Ready     int      `json:"ready"`     // grants that could be applied
}

// WriteAccess writes what the policies suggest into a folder, for review: a file for each target repository, and the
// principals.yaml in which the user says who stands for whom, which it reads first. A file that somebody changed is
// never written over. The folder is readable by its owner alone.
func WriteAccess(dir string, in access.Input) (AccessFiles, access.Suggestions, error) {
	none := AccessFiles{Written: []string{}, Unchanged: []string{}, Kept: []string{}, Stale: []string{}}
	known, err := readPrincipals(dir, in.AllowPublic)
	if err != nil {
		return none, access.Suggestions{}, err
	}
	in.Principals = known
	s := access.Suggest(in)
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return none, s, fmt.Errorf("create the folder for access files: %w (make room for it there, or name another folder)", err)
	}
	out := none
	out.Dead = append([]string{}, s.Dead...)
	for _, g := range s.Grants {
		if g.Decide == "" {
			out.Ready++
		} else {
			out.Open++
		}
	}
	files := access.Files(s.Grants)
	if !known.Covers(s.Principals) {
		files = append(files, access.File{Name: access.PrincipalsName, Content: access.PrincipalsFile(s.Principals, known)})
	} else if err := removeOurs(filepath.Join(dir, access.PrincipalsName+newSuffix+reviewSuffix)); err != nil {
		return out, s, err
	}
	for _, f := range files {
		if err := out.write(dir, f); err != nil {
			return out, s, err
		}
	}
	out.findStale(dir, files)
	return out, s, nil
}

// readPrincipals reads principals.yaml; nobody stands for anybody where there is none.
func readPrincipals(dir string, allowPublic bool) (access.Principals, error) {
	path := filepath.Join(dir, access.PrincipalsName+reviewSuffix)
	b, err := os.ReadFile(path)
	if errors.Is(err, fs.ErrNotExist) {
		return access.Principals{}, nil
	}
	if err != nil {
		return access.Principals{}, fmt.Errorf("read who stands for whom: %w", err)
	}
	known, err := access.ParsePrincipals(b, allowPublic)
	if err != nil {
		return known, fmt.Errorf("%s: %w (correct it, or move it away to begin anew)", path, err)
	}
	return known, nil
}

// write writes one file, or beside it where somebody has changed it.
func (a *AccessFiles) write(dir string, f access.File) error {
	path := filepath.Join(dir, f.Name+reviewSuffix)
	beside := filepath.Join(dir, f.Name+newSuffix+reviewSuffix)
	present, err := os.ReadFile(path)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		a.Written = append(a.Written, path)
		return document.WriteText(path, f.Content)
	case err != nil:
		return fmt.Errorf("read the file that is to be written: %w", err)
	case string(present) == string(f.Content), access.SameOrigin(present, f.Content):
		a.Unchanged = append(a.Unchanged, path)
		return removeOurs(beside)
	case access.Untouched(present):
		a.Written = append(a.Written, path)
		return document.WriteText(path, f.Content)
	}
	a.Kept = append(a.Kept, path)
	return document.WriteText(beside, f.Content)
}

// removeOurs removes a file that is as Transship wrote it, if there is one.
func removeOurs(path string) error {
	b, err := os.ReadFile(path)
	if err != nil || !access.Untouched(b) {
		return nil //nolint:nilerr // there is nothing of ours that could be removed
	}
	return os.Remove(path)
}

// findStale names the files of Transship that nothing is suggested for.
func (a *AccessFiles) findStale(dir string, files []access.File) {
	for _, name := range listReviews(dir) {
		path := filepath.Join(dir, name+reviewSuffix)
		b, err := os.ReadFile(path)
		if err == nil && access.Ours(b) && !slices.ContainsFunc(files, func(f access.File) bool { return f.Name == name }) {
			a.Stale = append(a.Stale, path)
		}
	}
}

// Reviewed is a file that was reviewed and named.
type Reviewed struct {
	Name   string
	Review access.Review
}

// ReadAccess reads the files of a folder that are named: by the name of a file without its extension, or by the
// repository that it is about. Each once, in the order of the names; what cannot be read or found is an error.
func ReadAccess(dir string, names []string, allowPublic bool) ([]Reviewed, error) {
	var out []Reviewed
	for _, name := range names {
		name = strings.TrimSpace(name)
		f, err := readAccess(dir, name, allowPublic)
		if err != nil {
			return nil, err
		}
		if !slices.ContainsFunc(out, func(o Reviewed) bool { return o.Name == f.Name }) {
			out = append(out, f)
		}
	}
	return out, nil
}

func readAccess(dir, name string, allowPublic bool) (Reviewed, error) {
	var wanted ref.TargetRepository
	if strings.Contains(name, "/") {
		if err := wanted.UnmarshalText([]byte(name)); err != nil {
			return Reviewed{}, fmt.Errorf("--apply: %w (name a file of %s without %s, or a repository)", err, dir, reviewSuffix)
		}
		found, err := fileOf(dir, wanted)
		if err != nil {
			return Reviewed{}, err
		}
		name = found
	}
	path := filepath.Join(dir, name+reviewSuffix)
	switch {
	case name == "" || name != filepath.Base(name) || strings.HasPrefix(name, "."):
		return Reviewed{}, fmt.Errorf("--apply: %q is not the name of a file in %s", name, dir)
	case name == access.PrincipalsName:
		return Reviewed{}, fmt.Errorf("--apply: %s says who stands for whom and is not applied: name the file of a repository", path)
	case strings.HasSuffix(name, newSuffix):
		return Reviewed{}, fmt.Errorf("--apply: %s is a suggestion beside a file that was changed: put it in that one's place first", path)
	}
	b, err := os.ReadFile(path)
	if errors.Is(err, fs.ErrNotExist) {
		return Reviewed{}, fmt.Errorf("--apply: there is no %s (there are: %s)", path, reviewNames(dir))
	}
	if err != nil {
		return Reviewed{}, fmt.Errorf("--apply: %w", err)
	}
	r, err := access.ParseReview(b, allowPublic)
	if err != nil {
		return Reviewed{}, fmt.Errorf("%s: %w", path, err)
	}
	if wanted != (ref.TargetRepository{}) && r.Repository != wanted {
		return Reviewed{}, fmt.Errorf("%s is about %s, not about %s", path, r.Repository, wanted)
	}
	return Reviewed{Name: name, Review: r}, nil
}

// fileOf is the name of the file about a repository.
func fileOf(dir string, r ref.TargetRepository) (string, error) {
	found := []string{}
	for _, name := range listReviews(dir) {
		b, err := os.ReadFile(filepath.Join(dir, name+reviewSuffix))
		if err != nil {
			return "", fmt.Errorf("look for the file about %s: %w", r, err)
		}
		if repository, ok := access.About(b); ok && repository == r {
			found = append(found, name)
		}
	}
	switch len(found) {
	case 1:
		return found[0], nil
	case 0:
		return "", fmt.Errorf("--apply: no file in %s is about %s (there are: %s)", dir, r, reviewNames(dir))
	}
	return "", fmt.Errorf("--apply: several files in %s are about %s: name one of %s", dir, r, strings.Join(found, ", "))
}

// listReviews are the names of the files that could be applied, sorted.
func listReviews(dir string) (names []string) {
	entries, err := os.ReadDir(dir)
	if err != nil {
		return nil
	}
	for _, e := range entries {
		name, ok := strings.CutSuffix(e.Name(), reviewSuffix)
		if ok && name != access.PrincipalsName && !strings.HasSuffix(name, newSuffix) && e.Type().IsRegular() {
			names = append(names, name)
		}
	}
	return names
}

func reviewNames(dir string) string {
	names := listReviews(dir)
	if len(names) == 0 {
		return "none"
	}
	return strings.Join(names, ", ")
}

package rewrite

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"

	"github.com/opencontainers/go-digest"
	"golang.org/x/sync/errgroup"

	"transship/internal/rewrite/mention"
	"transship/internal/rewrite/splice"
	"transship/internal/rewrite/tree"
)

// Why a file was not changed.
var (
	errChanged  = errors.New("the file changed while it was looked at")
	errLinks    = errors.New("the file has several names (hard links), of which a new file would take only one")
	errUnproved = errors.New("what was written does not lead back to what was there; the file is as it was")
	errOwner    = errors.New("the file belongs to somebody else, and the new one could not be given to them")
)

// write changes the files, several at a time, and returns why some were not changed, by their paths for people.
func (c Config) write(ctx context.Context, changes []*change) map[string]error {
	failures := make([]error, len(changes))
	var g errgroup.Group
	g.SetLimit(c.Workers)
	for n, change := range changes {
		g.Go(func() error {
			if failures[n] = ctx.Err(); failures[n] == nil {
				failures[n] = change.write(nil)
			}
			return nil
		})
	}
	_ = g.Wait() // each failure is kept
	failed := map[string]error{}
	for n, err := range failures {
		if err != nil {
			failed[changes[n].shown] = bare(err)
		}
	}
	return failed
}

// write writes the file anew beside itself, proves that this leads back to what was read, and puts it into its place. The
// spoil of tests, which may be nil, is called with the name of what was written before it is proved.
func (c *change) write(spoil func(dir *os.Root, name string)) error {
	place, err := c.tree.Reach(c.path)
	if err != nil {
		return err
	}
	defer place.Dir.Close()
	src, err := place.Open()
	if err != nil {
		return err
	}
	defer src.Close()
	info, err := src.Stat()
	switch {
	case err != nil:
		return err
	case !c.same(info):
		return errChanged
	case links(info) > 1:
		return errLinks
	}
	temporary := ".transship-" + rand.Text()
	defer place.Dir.Remove(temporary) //nolint:errcheck // nothing is left to remove once it has taken its place
	if err := c.fill(place, temporary, src, info); err != nil {
		return err
	}
	if spoil != nil {
		spoil(place.Dir, temporary)
	}
	if err := c.prove(place.Dir, temporary); err != nil {
		return err
	}
	// Nothing is put over a file that somebody else has changed in the meantime.
	if now, err := place.Dir.Lstat(place.Name); err != nil || !c.same(now) {
		return errChanged
	}
	if err := place.Dir.Rename(temporary, place.Name); err != nil {
		return err
	}
	return c.confirm(place, src, info)
}

// same reports whether a file is still the one that was read.
func (c *change) same(info fs.FileInfo) bool {
	return os.SameFile(c.info, info) && info.Size() == c.info.Size() && info.ModTime().Equal(c.info.ModTime()) && info.Mode() == c.info.Mode()
}

// fill writes the new file, with the mode and the owner of the old one.
func (c *change) fill(place tree.Place, name string, src io.Reader, info fs.FileInfo) error {
	dst, err := place.Dir.OpenFile(name, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600)
	if err != nil {
		return err
	}
	before := digest.SHA256.Digester()
	err = splice.Apply(dst, io.TeeReader(src, before.Hash()), c.splices())
	if err == nil && before.Digest() != c.before || errors.Is(err, splice.ErrOther) {
		err = errChanged
	}
	if err == nil {
		err = own(dst, info)
	}
	if err == nil {
		err = dst.Chmod(info.Mode())
	}
	if err == nil {
		err = dst.Sync() // a crash must not leave an empty file in the place of a good one
	}
	return errors.Join(err, dst.Close())
}

// prove reads a file back, and sees that its pieces lead to what was there before.
func (c *change) prove(dir *os.Root, name string) error {
	file, err := dir.Open(name)
	if err != nil {
		return err
	}
	defer file.Close()
	before, after := digest.SHA256.Digester(), digest.SHA256.Digester()
	err = splice.Apply(before.Hash(), io.TeeReader(file, after.Hash()), splice.Inverse(c.splices()))
	if errors.Is(err, splice.ErrOther) || err == nil && (before.Digest() != c.before || after.Digest() != c.after) {
		return errUnproved
	}
	return err
}

// confirm reads the file once more where it now is. Where it does not hold what was proved a moment ago, and nobody else
// has put another one there, the old one is put back: src still has it.
func (c *change) confirm(place tree.Place, src *os.File, info fs.FileInfo) error {
	err := c.prove(place.Dir, place.Name)
	if err == nil {
		return nil
	}
	if _, seekErr := src.Seek(0, io.SeekStart); seekErr != nil {
		return errors.Join(err, seekErr)
	}
	temporary := ".transship-" + rand.Text()
	defer place.Dir.Remove(temporary) //nolint:errcheck // as in write
	old := change{before: c.before}
	if fillErr := old.fill(place, temporary, src, info); fillErr != nil {
		return fmt.Errorf("%w, and it could not be restored: %w", err, fillErr)
	}
	return errors.Join(err, place.Dir.Rename(temporary, place.Name))
}

// without is the report where some changes did not come about.
func (r Report) without(failed map[string]error) Report {
	if len(failed) == 0 {
		return r
	}
	var kept Report
	kept.Counts, kept.Binary, kept.AWS, kept.Findings = r.Counts, r.Binary, r.AWS, r.Findings
	told := map[string]bool{}
	for _, e := range r.Edits {
		err, is := failed[e.File]
		if !is {
			kept.Edits = append(kept.Edits, e)
			continue
		}
		if !told[e.File] {
			told[e.File] = true
			f := unwritten(e.File, e.Line, err)
			f.Text = mention.Clean(e.From)
			kept.Findings = append(kept.Findings, f)
		}
	}
	for _, c := range r.Changes {
		if failed[c.File] == nil {
			kept.Changes = append(kept.Changes, c)
		}
	}
	sortFindings(kept.Findings)
	return kept
}

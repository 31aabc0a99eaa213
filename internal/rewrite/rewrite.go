package rewrite

import (
	"context"
	"errors"
	"fmt"
	"path/filepath"
	"runtime"
	"slices"
	"strings"

	"transship/internal/document"
	"transship/internal/rewrite/diff"
	"transship/internal/rewrite/mention"
	"transship/internal/rewrite/proved"
	"transship/internal/rewrite/tree"
)

// Judge is a part of the rewriter that looks at whole files.
type Judge struct {
	// Marked says whether a text may be its matter at all: it is called for such texts alone. Nil: where a host may be.
	Marked func([]byte) bool
	// Hosts: what may have a host is Marked, too.
	Hosts bool
	// Judge is a pure function; it may ask the tree for other files.
	Judge func(mention.File, mention.Oracle, mention.Tree) mention.Judgement
}

// Config is what to do.
type Config struct {
	Paths  []string      // files and folders
	Known  *proved.Known // what arrived
	Judges []Judge       // where two want to edit the same bytes, the first wins; none are asked on the way back
	Pin    bool          // append the verified digest to what has a tag
	// Reverse leads back to ECR. Past are the changes that earlier runs made, the oldest first: they are taken back exactly.
	Reverse bool
	Past    []document.FileChange
	// Write changes the files. Record is called before, with all that is going to be changed.
	Write  bool
	Record func(Report) error
	// Show is called, where nothing is written, for each file that would be changed, in order. It may be nil.
	Show func(diff.File)
	// Skip are files and folders that are not looked at: those that the run itself writes.
	Skip    []string
	Workers int // 0: one a processor
}

// Report is what was found and done.
type Report struct {
	tree.Counts
	Binary   int                   `json:"binary"`   // files without text
	AWS      int                   `json:"awsOwned"` // references to images of AWS's own accounts, which stay
	Edits    []document.Reworded   `json:"edits"`
	Findings []mention.Finding     `json:"findings"` // the most dangerous first
	Changes  []document.FileChange `json:"-"`
}

// Changed is how many files have edits.
func (r Report) Changed() int { return len(r.Changes) }

// ErrNoPath says that nothing of what was named could be opened.
var ErrNoPath = errors.New("nothing that was named can be read")

// Run scans the paths, and with Write changes the files. What is wrong with one file or path is a finding, and not the
// end. The error is about the run as a whole: no path could be opened, the record could not be written, ctx ended.
func Run(ctx context.Context, c Config) (Report, error) {
	if c.Workers == 0 {
		c.Workers = runtime.NumCPU()
	}
	trees, findings, err := c.open()
	defer func() {
		for _, t := range trees {
			_ = t.Close()
		}
	}()
	if err != nil {
		return Report{}, err
	}
	s := newScan(c)
	s.findings = findings
	for n, t := range trees {
		s.walk(ctx, t, slices.Concat(trees[:n], trees[n+1:]))
	}
	if ctx.Err() != nil {
		return Report{}, ctx.Err()
	}
	report, changes := s.report()
	if !c.Write {
		err := c.show(ctx, changes)
		return report, err
	}
	if len(changes) > 0 && c.Record != nil {
		if err := c.Record(report); err != nil {
			return Report{}, err
		}
	}
	failed := c.write(ctx, changes)
	return report.without(failed), ctx.Err()
}

// open opens all paths. Those that cannot be opened are findings, unless that is all of them.
func (c Config) open() (trees []*tree.Tree, findings []mention.Finding, err error) {
	seen := map[string]bool{}
	for _, path := range c.Paths {
		whole, err := filepath.Abs(path)
		if err != nil {
			return trees, nil, err
		}
		if seen[whole] {
			continue
		}
		seen[whole] = true
		t, err := tree.Open(path)
		if err != nil {
			findings = append(findings, unopened(path, err))
			continue
		}
		trees = append(trees, t)
	}
	if len(trees) == 0 {
		var why []string
		for _, f := range findings {
			why = append(why, f.File+": "+strings.TrimSuffix(f.Why, "."))
		}
		return nil, nil, fmt.Errorf("%w: %s", ErrNoPath, strings.Join(why, "; "))
	}
	return trees, findings, nil
}

// skip is what the walk of one tree leaves out: what the run writes, and the other trees, so that each file is looked at
// once.
func (c Config) skip(others []*tree.Tree) tree.Skip {
	skip := tree.Skip{}
	for _, path := range c.Skip {
		skip.Add(path)
	}
	for _, t := range others {
		t.AddTo(skip)
	}
	return skip
}

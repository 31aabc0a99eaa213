package cli

import (
	"errors"
	"fmt"
	"io/fs"
	"path/filepath"
	"slices"
	"strings"

	"transship/internal/cli/term"
	"transship/internal/document"
	"transship/internal/ref"
	"transship/internal/report"
	"transship/internal/stage"
	"transship/internal/workspace"
)

// reader gathers the documents of one migration.
type reader struct {
	found  int
	first  string // the document that said first which migration it is
	of     document.Migration
	unread []report.Unread
}

// evidence reads what the workspace holds, and what workers did in dirs.
func (a *app) evidence(s settings, dirs []string) (report.Evidence, error) {
	w, r := workspace.At(s.Workspace, s.Wave), &reader{}
	e := report.Evidence{MadeAt: a.now(), Version: versionLine(), Wave: s.Wave, Units: units()}
	if s.Wave != "" {
		e.InWave = func(name string) bool {
			repository, err := ref.ParseRepository(name)
			return err == nil && s.scope.Wave.Match(repository)
		}
	}
	err := errors.Join(
		take(r, w.Inventory(), document.KindInventory, &e.Inventory), take(r, w.Plan(), document.KindPlan, &e.Plan),
		take(r, w.Results(), document.KindResults, &e.Results), take(r, w.Verification(), document.KindVerification, &e.Verification),
		take(r, w.Governance(), document.KindGovernance, &e.Governance), take(r, w.Rewrite(), document.KindRewrite, &e.Rewrite),
		take(r, w.Sync(), document.KindSync, &e.Sync), take(r, w.Estimate(), document.KindEstimate, &e.Estimate),
		take(r, w.Cutover(), document.KindCutover, &e.Cutover),
	)
	if err != nil {
		return e, err
	}
	if s.Wave == "" {
		for _, wave := range s.waves {
			if err := r.wave(&e, s.Workspace, wave.Name); err != nil {
				return e, err
			}
		}
	}
	if err := r.workers(&e, dirs, s.Wave); err != nil {
		return e, err
	}
	if err := r.history(&e, w.History()); err != nil {
		return e, err
	}
	if r.found == 0 && len(r.unread) == 0 {
		return e, fmt.Errorf(`the workspace %s has nothing to report about yet: run "transship inventory", or name another workspace with -w`, s.Workspace)
	}
	e.Migration, e.Unread = r.of, r.unread
	return e, nil
}

// take reads a document where there is one. One that cannot be read is noted; one of another migration is an error, for
// numbers of two would look like those of one.
func take[T any, P interface {
	*T
	document.Headed
}](r *reader, path string, kind document.Kind, into **T) error {
	h, err := document.ReadHeader(path, kind)
	if err == nil {
		err = r.belongs(path, h.Migration)
		if err != nil {
			return err
		}
		read := new(T)
		if err = document.Read(path, kind, P(read)); err == nil {
			*into = read
			r.found++
		}
	}
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		r.pass(path, err.Error())
	}
	return nil
}

// pass notes what is not in the report. Where the workspace is, is no matter of whoever reads it.
func (r *reader) pass(path, why string) {
	name := filepath.Base(path)
	r.unread = append(r.unread, report.Unread{What: name, Why: strings.ReplaceAll(why, path, name)})
}

// belongs refuses what was made for another migration than what was read before.
func (r *reader) belongs(path string, m document.Migration) error {
	if r.first == "" {
		r.first, r.of = path, m
		return nil
	}
	if d := r.of.Differs(m); d != "" {
		return fmt.Errorf("%s was made for another migration than %s: %s (make it anew, or keep each migration in a workspace of its own with -w)", path, r.first, d)
	}
	return nil
}

// wave adds what a wave plans and what failed of it to a report of the whole. When it was copied, its own report judges.
func (r *reader) wave(e *report.Evidence, dir, name string) error {
	w := workspace.At(dir, name)
	var planned *document.Plan
	var results *document.Results
	if err := errors.Join(take(r, w.Plan(), document.KindPlan, &planned), take(r, w.Results(), document.KindResults, &results)); err != nil {
		return err
	}
	switch {
	case planned == nil:
		e.Unplanned = append(e.Unplanned, name)
	case e.Plan == nil:
		planned.Scope = document.Scope{}
		e.Plan = planned
	default:
		e.Plan.Images = append(e.Plan.Images, planned.Images...)
		e.Plan.Difference.TotalBytes += planned.Difference.TotalBytes
	}
	if results == nil {
		return nil
	}
	if e.Results == nil {
		e.Results = &document.Results{}
	}
	sum := e.Results
	sum.Failed += results.Failed
	sum.Failures, sum.Kept = append(sum.Failures, results.Failures...), append(sum.Kept, results.Kept...)
	sum.Traffic.BytesRead += results.Traffic.BytesRead
	sum.Traffic.BlobsRead += results.Traffic.BlobsRead
	return nil
}

// workers adds up what workers did.
func (r *reader) workers(e *report.Evidence, dirs []string, wave string) error {
	if len(dirs) == 0 {
		return nil
	}
	j, err := stage.JoinWorkers(dirs, wave)
	if err != nil {
		return err
	}
	with := slices.DeleteFunc(slices.Clone(dirs), func(dir string) bool { return slices.Contains(j.Without, dir) })
	if err := r.belongs(with[0], j.Migration); err != nil {
		return err
	}
	r.found++
	for _, dir := range j.Without {
		r.pass(dir, `it has no results yet: run "transship copy" with its shard`)
	}
	e.Results = &document.Results{
		Header: document.NewHeader(document.KindResults, j.Migration), StartedAt: j.StartedAt, EndedAt: j.EndedAt,
		Success: j.Success, Failed: j.Failed, Skipped: j.Skipped, Failures: j.Failures, Kept: j.Kept, Gone: j.Gone, Traffic: j.Traffic,
	}
	for _, s := range j.Shards {
		e.Shards = append(e.Shards, report.Shard{
			Index: s.Index, State: string(s.State), Done: s.State == stage.ShardDone, Workspaces: s.Workspaces, Success: s.Success, Failed: s.Failed,
			Skipped: s.Skipped, EndedAt: s.EndedAt, BytesRead: s.Traffic.BytesRead,
		})
	}
	return nil
}

// history reads the runs of this migration.
func (r *reader) history(e *report.Evidence, path string) error {
	runs, passed, err := document.ReadRuns(path)
	if err != nil {
		return err
	}
	others := 0
	for _, run := range runs {
		switch {
		case r.first != "" && r.of.Differs(run.Migration) != "":
			others++
		case e.Wave == "" || run.Wave == "" || run.Wave == e.Wave:
			e.Runs = append(e.Runs, run)
		}
	}
	if passed > 0 {
		r.pass(path, term.Count(passed, "line")+" of it cannot be read: a crash tore them, or another Transship wrote them (nothing is to be done)")
	}
	if others > 0 {
		r.pass(path, term.Count(others, "run")+" in it are of another migration, and left out (keep each migration in a workspace of its own with -w)")
	}
	if len(e.Runs) > 0 && r.first == "" {
		r.first, r.of = path, e.Runs[len(e.Runs)-1].Migration
	}
	return nil
}

// units are how quantities are written everywhere.
func units() report.Units {
	return report.Units{Bytes: term.Bytes, Bits: term.Bits, Number: term.Number[int], Count: term.Count[int], Duration: term.Duration, Clean: term.Clean}
}

package cli

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"

	"transship/internal/document"
	"transship/internal/plan"
	"transship/internal/ref"
	"transship/internal/rewrite"
	"transship/internal/rewrite/proved"
	"transship/internal/workspace"
)

// job is what a rewrite works with.
type job struct {
	known     *proved.Known
	migration document.Migration
	past      []document.FileChange
	workspace *workspace.Workspace
	locked    bool // rewrite.json can be written
	close     func()
}

// job reads what is known of the migration. The workspace is locked where it exists, and made where it must hold the record
// of what is changed.
func (a *app) job(r rewriting) (*job, error) {
	s, err := a.settings()
	if err != nil {
		return nil, err
	}
	o, err := rewriteTo(r.rewriteTo)
	if err != nil {
		return nil, err
	}
	j := &job{workspace: &workspace.Workspace{Dir: s.Workspace}, close: func() {}}
	if r.migrated != "" {
		err = j.listed(s, r.migrated, o)
	} else {
		err = j.verified(s, o)
	}
	if err != nil {
		return nil, err
	}
	if _, err := os.Stat(s.Workspace); err == nil || r.write {
		if j.workspace, err = workspace.Open(s.Workspace); err != nil {
			return nil, err
		}
		j.locked, j.close = true, func() { _ = j.workspace.Close() }
	}
	if err := j.remember(); err != nil {
		j.close()
		return nil, err
	}
	return j, nil
}

// rewriteTo reads what is written in place of the target; nothing says the target itself.
func rewriteTo(prefix string) (o proved.Options, err error) {
	if prefix == "" {
		return o, nil
	}
	if o.RewriteTo, err = ref.ParseTarget(prefix); err != nil {
		err = usagef("--rewrite-to: %w", err)
	}
	return o, err
}

// remember reads what earlier runs changed.
func (j *job) remember() error {
	var before document.Rewriting
	err := document.Read(j.workspace.Rewrite(), document.KindRewrite, &before)
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return fmt.Errorf("%w: it knows what earlier runs changed; move it away if that is not needed any more", err)
	}
	j.past = before.Changes
	return nil
}

// verified knows what verify.json says.
func (j *job) verified(s settings, o proved.Options) error {
	path := j.workspace.Verification()
	var v document.Verification
	err := document.Read(path, document.KindVerification, &v)
	if errors.Is(err, fs.ErrNotExist) {
		return usagef(`there is no %s, which says what arrived: run "transship verify", name another workspace with -w, or pass --migrated FILE`, path)
	}
	if err != nil {
		return err
	}
	j.migration = v.Migration
	if d := s.said(v.Migration).Differs(v.Migration); d != "" {
		return fmt.Errorf(`%s was made for another migration: %s (name another workspace with -w, or run "transship verify")`, path, d)
	}
	copies, err := j.copies(v.Migration)
	if err != nil {
		return err
	}
	if j.known, err = proved.FromVerification(v, copies, o); err != nil {
		return fmt.Errorf("%s: %w", path, err)
	}
	return nil
}

// said is the migration that flags and configuration name, filled up from m where they name nothing.
func (s settings) said(m document.Migration) document.Migration {
	if len(s.sources) > 0 {
		m.Sources = plan.NewMigration(s.registries(), ref.Mapping{}).Sources
	}
	if s.mapping.Default != (ref.TargetImage{}) || len(s.mapping.Rules) > 0 {
		named := plan.NewMigration(nil, s.mapping)
		m.Target, m.Mapping = named.Target, named.Mapping
	}
	return m
}

// registries are all that the migration is from.
func (s settings) registries() []ref.Registry {
	out := make([]ref.Registry, 0, len(s.sources))
	for _, from := range s.sources {
		out = append(out, from.registry)
	}
	return out
}

// copies are those that brought something, of the whole migration and of its waves.
func (j *job) copies(m document.Migration) ([]proved.Copy, error) {
	paths, err := filepath.Glob(filepath.Join(j.workspace.Dir, "waves", "*", "results.json"))
	if err != nil {
		return nil, err
	}
	var out []proved.Copy
	for _, path := range append(paths, j.workspace.Results()) {
		var r document.Results
		switch err := document.ReadFor(path, document.KindResults, m, &r); {
		case errors.Is(err, fs.ErrNotExist):
			continue
		case err != nil:
			return nil, err
		case r.Success == 0:
			continue
		}
		scope, err := r.Scope.Parse()
		if err != nil {
			return nil, fmt.Errorf("%s: %w", path, err)
		}
		out = append(out, proved.Copy{EndedAt: r.EndedAt, Match: scope.Match})
	}
	return out, nil
}

// listed knows what a person vouches for.
func (j *job) listed(s settings, path string, o proved.Options) error {
	file, err := os.Open(path)
	if err != nil {
		return usagef("--migrated: %w", err)
	}
	defer file.Close()
	if s.mapping.Default == (ref.TargetImage{}) && len(s.mapping.Rules) == 0 {
		if err := s.complete(); err != nil {
			return err
		}
	}
	list, err := proved.ReadList(file, s.registries())
	if err != nil {
		return usagef("--migrated: %s: %w", path, err)
	}
	if len(list) == 0 {
		return usagef("--migrated: %s names no repository: want one a line, HOST/NAME", path)
	}
	if j.known, err = proved.FromList(list, s.mapping, o); err != nil {
		return usagef("--migrated: %s: %w", path, err)
	}
	j.migration = plan.NewMigration(j.known.Sources(), s.mapping)
	return nil
}

// unnamed makes a mistake of the user's of paths none of which can be read.
func unnamed(err error) error {
	if errors.Is(err, rewrite.ErrNoPath) {
		return &usageError{err}
	}
	return err
}

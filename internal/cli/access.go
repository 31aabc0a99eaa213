package cli

import (
	"context"
	"fmt"
	"strings"

	"github.com/spf13/cobra"

	"transship/internal/cli/term"
	"transship/internal/cli/text"
	"transship/internal/document"
	"transship/internal/governance/access"
	"transship/internal/provision"
	"transship/internal/ref"
	"transship/internal/stage"
)

// accessFlags say what provision does about who may do what.
type accessFlags struct {
	dir    string   // --iam: the folder for review; empty: nothing
	apply  []string // names of files in it, or repositories; none: the files are written
	public bool     // what is public in ECR may be public to read
}

// addAccess gives cmd the flags that write and apply who may do what.
func (a *app) addAccess(cmd *cobra.Command) {
	f := cmd.Flags()
	f.StringVar(&a.flags.access.dir, "iam", "", "write what ECR's policies suggest into the folder `DIR`, for review")
	f.StringSliceVar(&a.flags.access.apply, "apply", nil, "give what the reviewed file `NAME` of --iam says (repeatable; a repository names its file, too)")
	f.BoolVar(&a.flags.access.public, "allow-public", false, "let everyone read what everyone may read in ECR; with --iam")
}

// checkAccess says what is wrong about the flags of addAccess.
func (a *app) checkAccess() error {
	f := a.flags.access
	switch {
	case f.dir == "" && len(f.apply) > 0:
		return usagef("--apply: name the folder with the reviewed files, too: --iam DIR")
	case f.dir == "" && f.public:
		return usagef("--allow-public goes with --iam DIR")
	}
	return nil
}

// access writes the files for review, or applies those that are named.
func (a *app) access(ctx context.Context, p *stage.Pipeline) error {
	if len(a.flags.access.apply) > 0 {
		return a.applyAccess(ctx, p.Target)
	}
	s, err := p.ReadSettings()
	if err != nil {
		return err
	}
	in := access.FromSettings(s, func(r ref.Repository) (ref.TargetRepository, bool) {
		image, err := p.Rules.Mapping.Map(r)
		return image.Repository, err == nil
	})
	in.AllowPublic = a.flags.access.public || p.Guards != nil && p.Guards.AllowPublic
	files, suggested, err := provision.WriteAccess(a.flags.access.dir, in)
	if err != nil {
		return err
	}
	return a.show(files, func(o text.Options) { text.AccessFiles(a.streams.Out, o, files, suggested, a.flags.access.dir) })
}

// applyAccess shows what the named files would add, asks, and adds it.
func (a *app) applyAccess(ctx context.Context, target provision.AccessTarget) error {
	f := a.flags.access
	files, err := provision.ReadAccess(f.dir, f.apply, f.public)
	if err != nil {
		return &usageError{err}
	}
	changes, err := provision.PreviewAccess(ctx, target, files)
	if err != nil {
		return err
	}
	missing, where := 0, []string{}
	for _, c := range changes {
		if missing += len(c.Missing); len(c.Missing) > 0 {
			where = append(where, c.Repository.String())
		}
	}
	if !a.flags.json {
		text.AccessChanges(a.streams.Out, a.words(), changes)
	}
	if missing == 0 {
		if a.flags.json {
			return document.Encode(a.streams.Out, provision.AccessResult{Applied: changes})
		}
		return nil
	}
	if err := a.confirm(ctx, fmt.Sprintf("Give %s on %s?", term.Count(missing, "role"), strings.Join(where, ", "))); err != nil {
		return err
	}
	result, err := provision.ApplyAccess(ctx, target, changes)
	if err != nil {
		return err
	}
	return a.show(result, func(o text.Options) { text.AccessApplied(a.streams.Out, o, result) })
}

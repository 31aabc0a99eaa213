package stage

import (
	"context"
	"slices"

	"transship/internal/document"
	"transship/internal/governance/desired"
	"transship/internal/provision"
)

// ProvisionOptions say how far Provision goes.
type ProvisionOptions struct {
	Finish  bool // make tags immutable where that is planned
	Missing bool // create what is missing, and leave what exists as it is
	// Seen is what a preview with the same Finish found, so that nothing is looked at twice; nil looks first.
	Seen []desired.Change
}

// PreviewProvision says what Provision would do with each target repository of plan.json. The error is about those that
// cannot be used.
func (p *Pipeline) PreviewProvision(ctx context.Context, finish bool) ([]desired.Change, error) {
	c, err := p.provisioning(finish, Hooks{})
	if err != nil {
		return nil, err
	}
	return provision.Preview(ctx, c)
}

// Provision creates the target repositories of plan.json that are missing, and gives the others the settings that are
// planned.
func (p *Pipeline) Provision(ctx context.Context, o ProvisionOptions, h Hooks) (provision.Result, error) {
	c, err := p.provisioning(o.Finish, h)
	if o.Missing {
		c.Repositories = slices.DeleteFunc(c.Repositories, func(r document.PlannedRepository) bool { return r.Exists })
	}
	switch {
	case err != nil:
		return provision.Result{}, err
	case o.Seen != nil:
		return provision.Apply(ctx, c, o.Seen)
	}
	return provision.Run(ctx, c)
}

func (p *Pipeline) provisioning(finish bool, h Hooks) (provision.Config, error) {
	made, err := p.ReadPlan()
	return provision.Config{Repositories: made.Repositories, Finish: finish, Target: p.Target, Progress: h.Provision, Logger: p.Logger}, err
}

package cli

import (
	"context"
	"errors"
	"log/slog"

	"transship/internal/clouds"
	"transship/internal/registry"
	"transship/internal/stage"
)

// reaching is how clouds are reached.
func (a *app) reaching(s settings, log *slog.Logger) clouds.Options {
	o := a.history.watch(a.clouds)
	o.Logger, o.Limits = log, s.limits
	if a.patience > 0 {
		o.Limits.RetryHorizon = a.patience
	}
	if o.Getenv == nil {
		o.Getenv = a.getenv
	}
	return o
}

// reach opens the clouds that a command needs. The error names all that is wrong, on both sides; a command with patience
// goes on without those.
func (a *app) reach(ctx context.Context, p *stage.Pipeline, n need, s settings, o clouds.Options) error {
	var failed []error
	o.Target.Impersonate = s.Impersonate
	for _, t := range s.mapping.Targets() {
		o.Target.Hosts = append(o.Target.Hosts, t.Host())
	}
	if n&needSource != 0 {
		for _, from := range s.sources {
			o.Source = from.options()
			opened, err := clouds.OpenSource(ctx, from.registry, from.form, o)
			switch {
			case err != nil && a.patience > 0:
				a.unseen = append(a.unseen, stage.NewUnseen(registry.Source, from.registry.String(), err))
				continue
			case err != nil:
				failed = append(failed, err)
			}
			p.Sources = append(p.Sources, opened)
		}
	}
	if n&needTarget != 0 {
		opened, err := clouds.OpenTarget(ctx, o)
		switch {
		case err != nil && a.patience > 0:
			a.unseen = append(a.unseen, stage.NewUnseen(registry.Target, p.Rules.Migration.Target, err))
			opened = nil
		case err != nil:
			failed = append(failed, err)
		}
		p.Target = opened
	}
	if err := a.openQueues(ctx, s, o); err != nil {
		failed = append(failed, err)
	}
	return errors.Join(failed...)
}

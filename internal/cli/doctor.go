package cli

import (
	"fmt"

	"github.com/spf13/cobra"

	"transship/internal/cli/text"
	"transship/internal/clouds"
	"transship/internal/doctor"
)

// newDoctor returns the command that examines what a migration needs.
func newDoctor(a *app) *cobra.Command {
	return &cobra.Command{
		Use:   "doctor",
		Short: "Check credentials, permissions and reachability",
		Long: `Check what a migration needs before it begins: who the caller is on both sides,
whether the tokens work, each permission, the network, certificates and clocks,
the repositories at the target, and room for the documents. What is wrong comes
with the command or the policy that mends it.

Changes nothing on either side.`,
		Example: `  transship doctor --from 123456789012.dkr.ecr.us-east-1.amazonaws.com \
    --to us-docker.pkg.dev/my-gcp-project/app-images
  transship doctor --json | jq '.groups[].checks[] | select(.status == "fail")'`,
		Args: noArguments,
		RunE: func(cmd *cobra.Command, _ []string) error {
			o, err := a.patient()
			if err != nil {
				return err
			}
			report := doctor.Examine(cmd.Context(), o)
			if err := cmd.Context().Err(); err != nil {
				return err
			}
			if err := a.show(report, func(o text.Options) { text.Doctor(a.streams.Out, o, report) }); err != nil {
				return err
			}
			if report.Failed > 0 {
				return &incompleteError{fmt.Sprintf("%d checks failed", report.Failed)}
			}
			return nil
		},
	}
}

// patient is what doctor examines: the migration that the flags, the configuration or the workspace name.
func (a *app) patient() (doctor.Options, error) {
	s, err := a.settings()
	if err != nil {
		return doctor.Options{}, err
	}
	if err := s.complete(); err != nil {
		return doctor.Options{}, err
	}
	o := doctor.Options{
		Targets: s.mapping.Targets(), Mapping: s.mapping, Scope: s.scope, Waves: s.waves, Workspace: s.Workspace,
		Getenv: a.getenv, Now: a.now, Settings: s.dead(), Clouds: a.clouds,
	}
	if o.Queues, err = s.queues(); err != nil {
		return doctor.Options{}, err
	}
	o.DeleteTags = s.DeleteTags
	o.Clouds.Logger = a.logger()
	o.Clouds.Target.Impersonate = s.Impersonate
	if o.Clouds.Getenv == nil {
		o.Clouds.Getenv = a.getenv
	}
	for _, from := range s.sources {
		o.Sources = append(o.Sources, doctor.Source{Registry: from.registry, Form: from.form, As: clouds.SourceOptions{
			Profile: from.origin.Profile, RoleARN: from.origin.RoleARN, ExternalID: from.origin.ExternalID, WebIdentity: from.origin.WebIdentity,
		}})
	}
	return o, nil
}

// dead names settings that have no effect.
func (s settings) dead() (out []doctor.Check) {
	for i, o := range s.Sources {
		if o.ExternalID != "" && o.RoleARN == "" {
			out = append(out, doctor.Check{
				Name: "configuration", Status: doctor.Warn,
				Detail: s.line("sources", i) + ": external_id has no effect without role_arn",
				Remedy: []string{"add role_arn, or remove external_id"},
			})
		}
	}
	return out
}

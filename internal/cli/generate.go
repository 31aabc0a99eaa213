package cli

import (
	"encoding/json"
	"io"

	"github.com/spf13/cobra"

	"transship/internal/generate"
)

// newGenerate returns the command that writes files for others to apply.
func newGenerate(a *app) *cobra.Command {
	cmd := &cobra.Command{
		Use:   "generate WHAT",
		Short: "Make files for others to apply: permissions, Terraform, jobs",
		Long: `Make what others apply for the migration. WHAT is

  permissions   the least-privilege IAM policy and the commands for Google
  terraform     what provision would do, as Terraform
  events        ECR's events into a queue, for sync --events, as Terraform
  kubernetes    the copy and the sync on GKE or EKS
  cloud-run     the copy and the sync on Cloud Run
  cloud-build   the copy and the sync on Cloud Build

Changes nothing on either side.`,
		Example: `  transship generate permissions
  transship generate terraform infra/registry
  transship generate kubernetes deploy --platform gke --bucket my-migration \
    --image us-docker.pkg.dev/my-gcp-project/tools/transship:1.0
  transship generate permissions --aws > policy.json`,
		Args: func(_ *cobra.Command, args []string) error {
			if len(args) > 0 {
				return usagef("transship generate does not know %q (there are: permissions, terraform, events, kubernetes, cloud-run, cloud-build)", args[0])
			}
			return usagef("transship generate wants to know what (there are: permissions, terraform, events, kubernetes, cloud-run, cloud-build)")
		},
		RunE: func(*cobra.Command, []string) error { return nil },
	}
	cmd.AddCommand(newPermissions(a), newTerraform(a), newEvents(a), newKubernetes(a), newCloudRun(a), newCloudBuild(a))
	return cmd
}

// newPermissions returns the command that prints permissions.
func newPermissions(a *app) *cobra.Command {
	var aws, google bool
	cmd := &cobra.Command{
		Use:   "permissions",
		Short: "Print the least that the migration must be allowed",
		Long: `Print what the migration must be allowed, on both sides, for the sources, the
selection and the targets of the flags and the configuration: IAM policies, the
trust policies of roles, and gcloud commands. With --aws only the IAM policies,
a JSON document an account; with --google only the commands, a shell script.

Changes nothing, and asks nobody.`,
		Example: `  transship generate permissions
  transship generate permissions --aws > policy.json
  transship generate permissions --google > permissions.sh`,
		Args: noArguments,
		RunE: func(*cobra.Command, []string) error {
			_, m, err := a.migration()
			if err != nil {
				return err
			}
			switch {
			case aws && !google:
				for _, p := range m.AWS() {
					if err := encode(a.streams.Out, p.Policy); err != nil {
						return err
					}
				}
				return nil
			case google && !aws:
				_, err := io.WriteString(a.streams.Out, m.Google())
				return err
			case a.flags.json:
				return encode(a.streams.Out, struct {
					AWS    []generate.AccountPolicy `json:"aws"`
					Caller generate.Policy          `json:"caller,omitzero"`
					Google string                   `json:"google"`
				}{m.AWS(), m.Caller(), m.Google()})
			}
			return m.Markdown(a.streams.Out)
		},
	}
	cmd.Flags().BoolVar(&aws, "aws", false, "only the IAM policies, as JSON")
	cmd.Flags().BoolVar(&google, "google", false, "only the commands for Google Cloud, as a shell script")
	return cmd
}

// encode prints v as JSON for people to read.
func encode(w io.Writer, v any) error {
	e := json.NewEncoder(w)
	e.SetEscapeHTML(false)
	e.SetIndent("", "  ")
	return e.Encode(v)
}

// migration is what others get files for, and the settings that say it.
func (a *app) migration() (settings, generate.Migration, error) {
	s, err := a.settings()
	if err != nil {
		return s, generate.Migration{}, err
	}
	if err := s.complete(); err != nil {
		return s, generate.Migration{}, err
	}
	m := generate.Migration{Targets: s.mapping.Targets(), Scope: s.scope, Impersonate: s.Impersonate, DeleteTags: s.DeleteTags}
	if m.Queues, err = s.queues(); err != nil {
		return s, generate.Migration{}, err
	}
	for _, from := range s.sources {
		m.Sources = append(m.Sources, generate.Source{
			Registry: from.registry, RoleARN: from.origin.RoleARN, ExternalID: from.origin.ExternalID, WebIdentity: from.origin.WebIdentity != "",
		})
	}
	return s, m, nil
}

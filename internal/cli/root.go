// Package cli is the command line: cobra commands that turn flags and the configuration into one call of a stage, show
// what came of it and make an exit code of it. Results go to stdout; progress, questions and logs go to stderr.
//
// Vocabulary: a command runs one stage, but for migrate, which runs them in a row, and demo, which does so on embedded
// clouds. Sub-packages hold what the user looks at: term knows terminals, text says documents in words.
package cli

import (
	"fmt"
	"strings"

	"github.com/spf13/cobra"
)

const introduction = `Transship moves container images from Amazon ECR to Google Artifact Registry,
and proves that all of them arrived. See it work, on clouds that are built in:

  transship demo

Move a registry in one go, or stage by stage:

  transship migrate --from 123456789012.dkr.ecr.us-east-1.amazonaws.com \
    --to us-docker.pkg.dev/my-gcp-project/app-images

  init        write a commented transship.yaml
  doctor      are credentials, permissions and the network in order?
  inventory   what is there, on both sides
  plan        what will be created, copied, tagged and refused
  provision   create the repositories, and set what guards their images
  copy        bring over what is missing, byte for byte
  verify      a fresh look: did everything arrive?
  sync        keep both sides in step while teams switch over
  status      where the migration stands
  report      a page for whoever signs it off
  rewrite     move the references in a team's files
  cutover     is it safe to switch, and to leave ECR?

No image is ever deleted, and nothing changes before it was shown. Any command
can be run again at any time and does only what is missing.
"transship COMMAND --help" says more; --help lists the flags.
`

const exitCodes = `
Exit codes: 0 all done and right; 1 failed; 2 wrong usage or configuration;
3 finished, but something failed, is missing or differs.
`

// help is the purpose in one line, then what there is to know, then the usage.
const help = `{{.Short}}.

{{if .HasParent}}{{.Long}}

{{end}}{{.UsageString}}` + exitCodes

// newRoot returns the whole command line.
func newRoot(a *app) *cobra.Command {
	root := &cobra.Command{
		Use:           "transship",
		Short:         "Move container images from Amazon ECR to Google Artifact Registry",
		Version:       versionLine(),
		Args:          noArguments,
		SilenceErrors: true,
		SilenceUsage:  true,
		RunE: func(cmd *cobra.Command, _ []string) error {
			_, err := fmt.Fprint(cmd.OutOrStdout(), introduction)
			return err
		},
	}
	root.PersistentPreRun = func(cmd *cobra.Command, _ []string) { a.history.begin(cmd) }
	root.SetIn(a.streams.In)
	root.SetOut(a.streams.Out)
	root.SetErr(a.streams.Err)
	root.SetVersionTemplate("{{.Version}}\n")
	root.SetFlagErrorFunc(func(cmd *cobra.Command, err error) error {
		return usagef("%w (%q lists the flags)", err, cmd.CommandPath()+" --help")
	})
	root.SetHelpCommand(newHelp())
	root.CompletionOptions.HiddenDefaultCmd = true
	a.addShared(root)
	cobra.EnableCommandSorting = false
	root.AddCommand(
		newDemo(a), newInit(a), newDoctor(a), newInventory(a), newPlan(a), newProvision(a), newCopy(a), newVerify(a), newMigrate(a), newSync(a), newStatus(a),
		newReport(a), newRewrite(a), newCutover(a), newGenerate(a),
	)
	root.SetUsageFunc(showUsage)
	root.SetHelpTemplate(help)
	return root
}

// newHelp returns the command that explains another one.
func newHelp() *cobra.Command {
	return &cobra.Command{
		Use:    "help [COMMAND]",
		Short:  "Explain a command",
		Hidden: true,
		RunE: func(cmd *cobra.Command, args []string) error {
			found, rest, err := cmd.Root().Find(args)
			if err != nil || len(rest) > 0 {
				return noArguments(cmd.Root(), args)
			}
			return found.Help()
		},
	}
}

// noArguments refuses arguments, and at the root names the unknown command.
func noArguments(cmd *cobra.Command, args []string) error {
	if len(args) == 0 {
		return nil
	}
	if !cmd.HasParent() {
		known := make([]string, 0, len(cmd.Commands()))
		for _, c := range cmd.Commands() {
			if c.IsAvailableCommand() && c.Name() != "help" {
				known = append(known, c.Name())
			}
		}
		return usagef("there is no command %q (there are: %s)", args[0], strings.Join(known, ", "))
	}
	return usagef("transship %s takes no arguments, and got %q", cmd.Name(), args[0])
}

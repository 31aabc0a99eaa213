package cli

import (
	"fmt"
	"strings"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"
)

// groupAnnotation marks a flag that the help shows under a heading of its own, which is its value.
const groupAnnotation = "transship/group"

// groupLimits is the heading of the flags that cap how much is asked of the registries.
const groupLimits = "Limits, for those who need them"

// inGroup puts flags of cmd under the heading.
func inGroup(cmd *cobra.Command, heading string, flags ...string) {
	for _, name := range flags {
		cmd.Flags().Lookup(name).Annotations = map[string][]string{groupAnnotation: {heading}}
	}
}

// helpWidth is how wide the help is: that of a small terminal.
const helpWidth = 80

// showUsage is cobra's own usage, with flags that fit a terminal of 80 columns, in groups.
func showUsage(cmd *cobra.Command) error {
	var b strings.Builder
	section := func(heading, text string) {
		if text = strings.TrimRight(text, " \n"); text != "" {
			fmt.Fprintf(&b, "\n%s:\n%s\n", heading, text)
		}
	}
	line := cmd.UseLine()
	if cmd.HasAvailableSubCommands() {
		line = cmd.CommandPath() + " COMMAND [flags]"
	}
	fmt.Fprintf(&b, "Usage:\n  %s\n", line)
	section("Examples", cmd.Example)
	var commands strings.Builder
	for _, sub := range cmd.Commands() {
		if sub.IsAvailableCommand() {
			fmt.Fprintf(&commands, "  %-*s  %s\n", sub.NamePadding(), sub.Name(), sub.Short)
		}
	}
	section("Commands", commands.String())
	plain, limits := grouped(cmd.LocalFlags(), groupLimits)
	section("Flags", plain.FlagUsagesWrapped(helpWidth))
	section(groupLimits, limits.FlagUsagesWrapped(helpWidth))
	section("Flags of every command", cmd.InheritedFlags().FlagUsagesWrapped(helpWidth))
	_, err := fmt.Fprint(cmd.OutOrStderr(), b.String())
	return err
}

// grouped parts flags into those under the heading and the others.
func grouped(all *pflag.FlagSet, heading string) (others, group *pflag.FlagSet) {
	others, group = pflag.NewFlagSet("", pflag.ContinueOnError), pflag.NewFlagSet("", pflag.ContinueOnError)
	all.VisitAll(func(f *pflag.Flag) {
		if of := f.Annotations[groupAnnotation]; len(of) == 1 && of[0] == heading {
			group.AddFlag(f)
		} else {
			others.AddFlag(f)
		}
	})
	return others, group
}

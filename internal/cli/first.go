package cli

import (
	"fmt"
	"strings"

	"github.com/spf13/cobra"

	"transship/internal/cli/term"
	"transship/internal/ref"
	"transship/internal/references"
	"transship/internal/stage"
)

// addFirst gives cmd the flag that says what to copy first.
func (a *app) addFirst(cmd *cobra.Command) {
	cmd.Flags().StringArrayVar(&a.flags.first, "first", nil,
		"copy first what `FILE` names: a list, or manifests")
}

// lists reads what --first names. That nothing in one of them is of the sources is a mistake, better told before the
// inventory than after it.
func (s settings) lists(a *app) ([]references.List, error) {
	if !a.flags.ranks { // the command copies nothing
		return nil, nil
	}
	registries := make([]ref.Registry, 0, len(s.sources))
	for _, from := range s.sources {
		registries = append(registries, from.registry)
	}
	finder := references.NewFinder(registries...)
	lists := make([]references.List, 0, len(s.First))
	for _, path := range s.First {
		list, err := finder.Read(path, a.streams.In)
		switch {
		case err != nil:
			return nil, usagef("--first: %w", err)
		case list.Empty():
			return nil, usagef("--first: nothing in %s names an image of %s: want one reference a line, or manifests that name some",
				list.From, s.named(registries))
		}
		lists = append(lists, list)
	}
	return lists, nil
}

// named says which registries they are.
func (settings) named(registries []ref.Registry) string {
	names := make([]string, 0, len(registries))
	for _, r := range registries {
		names = append(names, r.Host())
	}
	return strings.Join(names, ", ")
}

// shownUnmatched is how many references that are not copied are told; -v tells all.
const shownUnmatched = 5

// first finds in the plan what is to be copied first, and tells what is not in it. It is a mistake where that is all, unless
// the plan is of a part of the migration, to which the list need not belong.
func (a *app) first(p *stage.Pipeline) (stage.First, error) {
	first, unmatched, err := p.First(a.lists...)
	if err != nil || len(unmatched) == 0 {
		return first, err
	}
	known, whole := first.Len() > 0, p.Rules.Scope.Wave.Name == "" && len(p.Rules.Scope.Include)+len(p.Rules.Scope.Exclude) == 0
	for _, u := range unmatched {
		known = known || u.Known
	}
	if !known && whole {
		return first, usagef("--first: nothing that it names is in the plan, such as %s (%s)", term.Clean(unmatched[0].Text), unmatched[0].Reason)
	}
	var b strings.Builder
	fmt.Fprintf(&b, "--first: %s not among what is copied:\n", term.Count(len(unmatched), "reference"))
	for i, u := range unmatched {
		if i == shownUnmatched && len(unmatched) > shownUnmatched+1 && !a.flags.verbose {
			fmt.Fprintf(&b, "  and %s more\n", term.Number(len(unmatched)-i))
			break
		}
		fmt.Fprintf(&b, "  %s: %s\n", term.Clean(u.Text), u.Reason)
	}
	_, err = fmt.Fprint(a.streams.Err, b.String())
	return first, err
}

package cli

import (
	"cmp"
	"time"

	"github.com/spf13/cobra"

	"transship/internal/document"
	"transship/internal/plan"
)

// selection is what the flags say of which images are taken.
type selection struct {
	tags                                       []string
	newest, older                              int
	pushedSince, pulledSince                   string
	withoutReferrers, taggedOnly, pullThroughs bool
}

// addSelection gives cmd the flags that choose among the images of the repositories in scope.
func (a *app) addSelection(cmd *cobra.Command) {
	f, s := cmd.Flags(), &a.flags.selection
	f.StringArrayVar(&s.tags, "tag", nil, "only tags that match `GLOB` (repeatable)")
	f.IntVar(&s.newest, "newest", 0, "only the newest `N` images of each repository")
	f.StringVar(&s.pushedSince, "pushed-since", "", "only what was pushed since `WHEN`: 2026-01-31, 30d, 8w")
	f.StringVar(&s.pulledSince, "pulled-since", "", "only what was pulled since `WHEN`")
	f.IntVar(&s.older, "older-versions", 0, "also the `N` images pushed before each one that is taken")
	f.BoolVar(&s.withoutReferrers, "without-referrers", false, "leave out signatures, SBOMs and what else only describes images")
	f.BoolVar(&s.taggedOnly, "tagged-only", false, "leave out untagged images that nothing else needs")
	f.BoolVar(&s.pullThroughs, "pull-through", false, "take also what ECR fills from another registry")
}

// mergeSelection lets the flags win over the file.
func (a *app) mergeSelection(f *file) {
	s := a.flags.selection
	if len(s.tags) > 0 {
		f.Tags = s.tags
	}
	f.Newest, f.OlderVersions = cmp.Or(s.newest, f.Newest), cmp.Or(s.older, f.OlderVersions)
	f.PushedSince, f.PulledSince = cmp.Or(s.pushedSince, f.PushedSince), cmp.Or(s.pulledSince, f.PulledSince)
	f.WithoutReferrers = f.WithoutReferrers || s.withoutReferrers
	f.TaggedOnly = f.TaggedOnly || s.taggedOnly
	f.PullThrough = f.PullThrough || s.pullThroughs
}

// selection reads what the file, with the flags laid over it, says of which images are taken.
func (f file) selection(now time.Time) (plan.Selection, error) {
	d := document.Selection{
		Tags: f.Tags, Newest: f.Newest, OlderVersions: f.OlderVersions,
		WithoutReferrers: f.WithoutReferrers, TaggedOnly: f.TaggedOnly, PullThrough: f.PullThrough,
		WithoutExpired: f.LeaveOutExpired && !f.NoGuards,
	}
	for _, since := range []struct {
		name, text string
		to         *time.Time
	}{{"pushed-since", f.PushedSince, &d.PushedSince}, {"pulled-since", f.PulledSince, &d.PulledSince}} {
		if since.text == "" {
			continue
		}
		t, err := plan.ParseSince(since.text, now)
		if err != nil {
			return plan.Selection{}, usagef("--%s: %w", since.name, err)
		}
		*since.to = t
	}
	s, err := plan.ParseSelection(d)
	if err != nil {
		return s, usagef("--%w", err)
	}
	return s, nil
}

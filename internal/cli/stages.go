package cli

import (
	"context"
	"fmt"

	"github.com/spf13/cobra"

	"transship/internal/cli/text"
	"transship/internal/document"
	"transship/internal/stage"
	"transship/internal/verify"
)

// newInventory returns the command that lists both sides.
func newInventory(a *app) *cobra.Command {
	var settings bool
	cmd := &cobra.Command{
		Use:   "inventory",
		Short: "List what is in ECR and in Artifact Registry",
		Long: `List every repository, image and tag of the sources, untagged and archived ones
too, and what Artifact Registry holds already. Writes inventory.json. With
--settings it also reads anew what guards the images (policies, tags), which
plan reads once for each repository; that goes to settings.json.

Changes nothing on either side.`,
		Example: `  transship inventory --from 123456789012.dkr.ecr.us-east-1.amazonaws.com \
    --to us-docker.pkg.dev/my-gcp-project/app-images
  transship inventory --include 'team/**' --json | jq '.source.images | length'`,
		Args: noArguments,
		RunE: func(cmd *cobra.Command, _ []string) error {
			return a.with(cmd.Context(), needBoth, func(ctx context.Context, p *stage.Pipeline) error {
				inv, err := a.inventory(ctx, p)
				if err != nil {
					return err
				}
				if settings {
					if err := a.settingsAnew(ctx, p, inv); err != nil {
						return err
					}
				}
				if err := a.show(inv, func(o text.Options) { text.Inventory(a.streams.Out, o, inv, p.Workspace.Inventory()) }); err != nil {
					return err
				}
				return unlisted(inv)
			})
		},
	}
	cmd.Flags().BoolVar(&settings, "settings", false, "read anew what guards the images, too")
	a.addLimits(cmd)
	return cmd
}

// unlisted is the error of an inventory that could not list everything.
func unlisted(inv document.Inventory) error {
	if len(inv.Failures) == 0 {
		return nil
	}
	return &incompleteError{fmt.Sprintf("%d listings failed", len(inv.Failures))}
}

// newPlan returns the command that plans.
func newPlan(a *app) *cobra.Command {
	cmd := &cobra.Command{
		Use:   "plan",
		Short: "Show what will be created, copied, tagged and refused",
		Long: `Make the plan from inventory.json: the desired state of the target, with what
cannot be there and why. Takes the inventory first where there is none. Reads
the manifests that it does not know yet, which ECR records as pulls. Translates
what guards the images (lifecycle policies, immutable tags, scanning, keys,
tags, permissions), and tells of each where it went. Estimates bytes, time and
money. Writes content.jsonl, plan.json, governance.json, governance.md and
estimate.json.

Changes nothing on either side.`,
		Example: `  transship plan
  transship plan --verbose
  transship plan --json | jq '.refused'`,
		Args: noArguments,
		RunE: func(cmd *cobra.Command, _ []string) error {
			a.flags.costs = true
			return a.with(cmd.Context(), needBoth, func(ctx context.Context, p *stage.Pipeline) error {
				made, err := a.plan(ctx, p)
				if err != nil {
					return err
				}
				told, err := guarded(p)
				if err != nil {
					return err
				}
				cost, err := p.ReadEstimate()
				if err != nil {
					return err
				}
				if err := a.show(made, func(o text.Options) { text.Plan(a.streams.Out, o, made, told, cost, planFiles(p)) }); err != nil {
					return err
				}
				return unread(made)
			})
		},
	}
	a.addCosts(cmd)
	a.addSelection(cmd)
	a.addLimits(cmd)
	return cmd
}

// unread is the error of a plan that leaves out what could not be listed or read, which nobody decided.
func unread(made document.Plan) error {
	n := 0
	for _, r := range made.Refused {
		if r.Rule == document.RuleUnreadable || r.Rule == document.RuleUnavailable {
			n++
		}
	}
	if n == 0 {
		return nil
	}
	return &incompleteError{fmt.Sprintf("%d images or repositories could not be read", n)}
}

// newCopy returns the command that copies.
func newCopy(a *app) *cobra.Command {
	var retryFailed bool
	cmd := &cobra.Command{
		Use:   "copy",
		Short: "Copy what the plan wants and the target lacks",
		Long: `Copy the images of plan.json that the target lacks, byte for byte: each layer
leaves ECR once, a tag appears when all that belongs to its image is there, and
one image's failure stops no other. Writes journal.jsonl and results.json. Run
it again after a failure or a crash: it goes on where it was.

--first begins with the images that a file names: a list, with a reference or a
repository a line, or manifests of any kind, or a folder of them ("-" is stdin).

--shard copies a part, as one of several machines with a workspace each, who
share the limits. Cloud Run jobs and AWS Batch arrays say which by themselves,
Kubernetes beside --shards. "transship status DIR…" adds up what they did.

Changes the target: writes images and tags. A tag that somebody else moved there
is kept and reported.`,
		Example: `  transship copy --retry-failed
  transship copy --shard 0/8 --plan /plan/plan.json -w /work
  transship copy --first deploy/production --max-bandwidth 400Mbit`,
		Args: noArguments,
		RunE: func(cmd *cobra.Command, _ []string) error {
			a.flags.ranks, a.flags.sharding.asked = true, true
			return a.with(cmd.Context(), needBoth, func(ctx context.Context, p *stage.Pipeline) error {
				results, err := a.copy(ctx, p, retryFailed)
				if err != nil {
					return err
				}
				if err := a.show(results, func(o text.Options) { text.Results(a.streams.Out, o, results, p.Workspace.Results()) }); err != nil {
					return err
				}
				return uncopied(ctx, results)
			})
		},
	}
	a.addOverwrite(cmd)
	a.addFirst(cmd)
	a.addPlan(cmd)
	a.addShard(cmd)
	a.addLimits(cmd)
	a.addCopying(cmd)
	cmd.Flags().BoolVar(&retryFailed, "retry-failed", false, "take up only what failed the last time")
	return cmd
}

// uncopied is the error of a copy that did not do all it should.
func uncopied(ctx context.Context, r document.Results) error {
	switch {
	case ctx.Err() != nil:
		return ctx.Err()
	case r.Failed > 0:
		return &incompleteError{fmt.Sprintf("%d of %d failed", r.Failed, r.Success+r.Failed)}
	case len(r.Kept) > 0:
		return &incompleteError{fmt.Sprintf("%d tags differ, and were kept", len(r.Kept))}
	}
	return nil
}

// newVerify returns the command that verifies.
func newVerify(a *app) *cobra.Command {
	cmd := &cobra.Command{
		Use:   "verify",
		Short: "Take a fresh look at both sides and prove that everything arrived",
		Long: `Compare what the sources hold now with what the target holds now: every tag at
its digest, every digest present. Trusts neither the plan nor what a copy said.
With --deep it walks every image at the target and asks for each of its blobs.
Without flags that choose among images, it expects what the plan chose.
Writes verify.json.

Changes nothing on either side.`,
		Example: `  transship verify
  transship verify --deep
  transship verify --json | jq '.cases[] | select(.kind == "missing")'`,
		Args: noArguments,
		RunE: func(cmd *cobra.Command, _ []string) error {
			return a.with(cmd.Context(), needBoth, func(ctx context.Context, p *stage.Pipeline) error {
				if err := p.SelectAsPlanned(); err != nil {
					return err
				}
				v, err := a.verify(ctx, p)
				if err != nil {
					return err
				}
				if err := a.show(v, func(o text.Options) { text.Verification(a.streams.Out, o, v, p.Workspace.Verification()) }); err != nil {
					return err
				}
				return unverified(v)
			})
		},
	}
	a.addDeep(cmd)
	a.addSelection(cmd)
	a.addLimits(cmd)
	return cmd
}

// unverified is the error of a verification that found something missing or different.
func unverified(v document.Verification) error {
	if verify.OK(v) {
		return nil
	}
	return &incompleteError{fmt.Sprintf("%d missing, %d mismatched", v.Missing, v.Mismatched)}
}

// with runs f on the opened migration.
func (a *app) with(ctx context.Context, n need, f func(context.Context, *stage.Pipeline) error) error {
	p, closed, err := a.open(ctx, n)
	if err != nil {
		return err
	}
	defer closed()
	started := a.now()
	err = f(ctx, p)
	a.remember(ctx, p, started, err)
	return err
}

// show prints a document: as JSON where the user asked for it, else in words.
func (a *app) show(doc any, words func(text.Options)) error {
	if a.flags.json {
		return document.Encode(a.streams.Out, doc)
	}
	a.breathe()
	words(a.words())
	return nil
}

// breathe puts a line between the progress and the words on a terminal.
func (a *app) breathe() {
	if a.streams.OutWidth() > 0 {
		fmt.Fprintln(a.streams.Out)
	}
}

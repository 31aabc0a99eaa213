package cli

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"time"

	"github.com/spf13/cobra"

	"transship/internal/cli/text"
	"transship/internal/clouds"
	"transship/internal/document"
	"transship/internal/events"
	"transship/internal/ref"
	"transship/internal/stage"
	"transship/internal/sync"
)

// syncing are the flags of sync.
type syncing struct {
	deleteTags                    bool
	interval, verifyEvery, listen string
	maxDeletions                  int
	events                        []string
}

// newSync returns the command that keeps the target in step.
func newSync(a *app) *cobra.Command {
	var once bool
	cmd := &cobra.Command{
		Use:   "sync",
		Short: "Keep the target in step while teams switch over",
		Long: `Look at both sides every five minutes, bring what changed, and check that it is
there: new and moved tags, new repositories. With --events, an image is at the
target seconds after its push. Writes sync.json. Ctrl-C or SIGTERM stops it.

Changes the target: creates repositories, writes images and tags. What was
deleted at the source is reported; --delete-tags takes such tags away, too,
unless somebody moved them, or too many vanished at once. Images stay.`,
		Example: `  transship sync --once
  transship sync --interval 2m --listen :8080 --yes --events \
    https://sqs.us-east-1.amazonaws.com/123456789012/transship`,
		Args: noArguments,
		RunE: func(cmd *cobra.Command, _ []string) error {
			a.flags.sharding.asked = true
			a.metrics = sync.NewMetrics()
			a.clouds.Observe = a.metrics.Observe
			return a.with(cmd.Context(), needBoth, func(ctx context.Context, p *stage.Pipeline) error {
				return a.sync(ctx, p, once)
			})
		},
	}
	f, s := cmd.Flags(), &a.flags.sync
	f.BoolVar(&once, "once", false, "one look, and what it takes to be in step")
	f.StringVar(&s.interval, "interval", "", "look at everything every `DURATION` (5m)")
	f.StringArrayVar(&s.events, "events", nil, "take ECR's events from SQS, at `URL` (repeatable)")
	f.StringVar(&s.listen, "listen", "", "serve /metrics, /healthz and /readyz on `ADDRESS`, as :8080")
	f.StringVar(&s.verifyEvery, "verify-every", "", "verify everything every `DURATION` (24h)")
	f.BoolVar(&s.deleteTags, "delete-tags", false, "take away tags that were deleted at the source")
	f.IntVar(&s.maxDeletions, "max-deletions", 0, "take away up to `N` tags at once, whatever share")
	a.addOverwrite(cmd)
	a.addShard(cmd)
	a.addLimits(cmd)
	a.addCopying(cmd)
	return cmd
}

// lookAfter narrows what p looks at to the shard of this machine. Machines that look for themselves, at moments of their
// own, agree by names alone on who looks after what.
func (a *app) lookAfter(p *stage.Pipeline) error {
	part := a.flags.part
	if part.Whole() {
		return nil
	}
	if len(a.flags.sync.events) > 0 {
		return usagef("--events and --shard: an event goes to one of the machines, whichever it is: leave the events to a sync of its own, without shards")
	}
	mapping := p.Rules.Mapping
	p.Rules.Scope.Part = func(r ref.Repository) bool {
		t, err := mapping.Map(r)
		return err != nil || part.HasName(t)
	}
	return nil
}

// mergeSync lets the flags win over the file.
func (a *app) mergeSync(f *file) {
	s := &a.flags.sync
	f.Interval, f.VerifyEvery, f.Listen = cmp.Or(s.interval, f.Interval), cmp.Or(s.verifyEvery, f.VerifyEvery), cmp.Or(s.listen, f.Listen)
	f.MaxDeletions = cmp.Or(s.maxDeletions, f.MaxDeletions)
	f.DeleteTags = f.DeleteTags || s.deleteTags
	if len(s.events) > 0 {
		f.Events = s.events
	}
	*s = syncing{
		deleteTags: f.DeleteTags, interval: f.Interval, verifyEvery: f.VerifyEvery, listen: f.Listen, maxDeletions: f.MaxDeletions, events: f.Events,
	}
}

// leastInterval is the least that makes sense: each look costs a request a repository.
const leastInterval = 10 * time.Second

// syncConfig reads what the flags and the file say.
func (a *app) syncConfig(p *stage.Pipeline) (sync.Config, error) {
	s := a.flags.sync
	c := sync.Config{
		Pipeline: p, DeleteTags: s.deleteTags, MaxDeletions: s.maxDeletions, Overwrite: a.flags.overwrite, ImageTimeout: a.flags.image,
		Metrics: a.metrics, Logger: a.loggerAt(slog.LevelInfo),
	}
	var err error
	if c.Interval, err = parseSpan("--interval", s.interval); err != nil {
		return c, err
	}
	if c.VerifyEvery, err = parseSpan("--verify-every", s.verifyEvery); err != nil {
		return c, err
	}
	switch {
	case c.Interval != 0 && c.Interval < leastInterval:
		return c, usagef("--interval: %s is less than %s: each look takes a request a repository", c.Interval, leastInterval)
	case s.maxDeletions < 0:
		return c, usagef("--max-deletions: %d is not a number of tags", s.maxDeletions)
	case s.maxDeletions > 0 && !s.deleteTags:
		return c, usagef("--max-deletions needs --delete-tags")
	}
	for _, q := range a.queues {
		c.Queues = append(c.Queues, q)
	}
	return c, nil
}

// openQueues reads the queues of ECR's events. Each is reached as the source is whose events it gets.
func (a *app) openQueues(ctx context.Context, s settings, o clouds.Options) error {
	a.queues = nil
	if a.metrics == nil { // the command takes no events
		return nil
	}
	addresses, err := s.queues()
	if err != nil {
		return err
	}
	for _, address := range addresses {
		for _, from := range s.sources {
			if from.registry == address.Registry() {
				o.Source = from.options()
			}
		}
		q, err := clouds.OpenQueue(ctx, address, s.registries(), o)
		if err != nil {
			return err
		}
		a.queues = append(a.queues, q)
	}
	return nil
}

// queues are those of the events, each beside a source.
func (s settings) queues() ([]events.Address, error) {
	var out []events.Address
	for _, text := range s.Events {
		address, err := events.ParseAddress(text)
		if err == nil {
			err = address.Of(s.registries())
		}
		if err != nil {
			return nil, usagef("--events: %w", err)
		}
		out = append(out, address)
	}
	return out, nil
}

// sync keeps the target in step, once or until ctx ends.
func (a *app) sync(ctx context.Context, p *stage.Pipeline, once bool) error {
	if err := p.SelectAsPlanned(); err != nil {
		return err
	}
	if err := a.lookAfter(p); err != nil {
		return err
	}
	c, err := a.syncConfig(p)
	if err != nil {
		return err
	}
	if err := a.lookAtQueues(ctx, c.Logger); err != nil {
		return err
	}
	question := "Keep the target in step: create, copy and tag what is missing?"
	if c.DeleteTags {
		question = "Keep the target in step: create, copy and tag what is missing, and take away tags that were deleted?"
	}
	if err := a.confirm(ctx, question); err != nil {
		return err
	}
	s, err := sync.New(c)
	if err != nil {
		return err
	}
	if once {
		err = a.syncOnce(ctx, s, p)
	} else {
		err = a.syncForever(ctx, s)
	}
	a.history.bytes = c.Metrics.BytesRead()
	if closeErr := s.Close(); closeErr != nil {
		c.Logger.Warn("the journal is incomplete: a run that is broken off may read some blobs twice", "error", closeErr)
	}
	return err
}

// lookAtQueues finds out at once what is wrong with a queue, rather than in the log of the night.
func (a *app) lookAtQueues(ctx context.Context, log *slog.Logger) error {
	for _, q := range a.queues {
		deadLetters, err := q.Look(ctx)
		if err != nil {
			return err
		}
		if !deadLetters {
			log.Warn("the queue has no dead-letter queue: messages that cannot be understood come back until they are too old; give it one",
				"queue", q.Address().Name)
		}
	}
	return nil
}

func (a *app) syncOnce(ctx context.Context, s *sync.Syncer, p *stage.Pipeline) error {
	state, err := s.Once(ctx)
	if err != nil {
		return err
	}
	a.history.note(fmt.Sprintf("%d found behind, %d copied, %d behind", state.Cycle.Found, state.Cycle.Copied, state.Cycle.Behind))
	if err := a.show(state, func(o text.Options) { text.Sync(a.streams.Out, o, state, p.Workspace.Sync()) }); err != nil {
		return err
	}
	return unsynced(ctx, state)
}

// unsynced is the error of a cycle that left something behind.
func unsynced(ctx context.Context, state document.Sync) error {
	switch c := state.Cycle; {
	case ctx.Err() != nil:
		return ctx.Err()
	case c.Behind > 0 || len(c.Failures) > 0:
		return &incompleteError{fmt.Sprintf("%d behind, %d failures", c.Behind, len(c.Failures))}
	case len(state.Held) > 0:
		return &incompleteError{"deletions are held"}
	}
	return nil
}

// syncForever runs until ctx ends, which is how a sync ends well.
func (a *app) syncForever(ctx context.Context, s *sync.Syncer) error {
	if a.flags.sync.listen == "" {
		return s.Run(ctx)
	}
	var l net.ListenConfig
	listener, err := l.Listen(ctx, "tcp", a.flags.sync.listen)
	if err != nil {
		return usagef("--listen: %w (name an address that is free, such as :8080)", err)
	}
	fmt.Fprintf(a.streams.Err, "Serving /metrics, /healthz and /readyz on %s\n", listener.Addr())
	ctx, cancel := context.WithCancel(ctx)
	served := make(chan error, 1)
	go func() {
		err := s.Serve(ctx, listener)
		cancel() // who cannot be watched is better restarted
		served <- err
	}()
	err = s.Run(ctx)
	cancel()
	return errors.Join(err, <-served)
}

package cli

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"log/slog"
	"os"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"transship/internal/cli/term"
	"transship/internal/clouds"
	"transship/internal/document"
	"transship/internal/events"
	"transship/internal/governance"
	"transship/internal/plan"
	"transship/internal/plan/shard"
	"transship/internal/ref"
	"transship/internal/references"
	"transship/internal/stage"
	"transship/internal/sync"
	"transship/internal/workspace"
)

// Main runs the command line args, whose first element is the program's name, and returns the exit code. A cancelled
// ctx stops it cleanly.
func Main(ctx context.Context, args []string, stdin io.Reader, stdout, stderr io.Writer) int {
	a := &app{streams: term.NewStreams(stdin, stdout, stderr, os.Getenv), getenv: os.Getenv, now: time.Now}
	root := newRoot(a)
	root.SetArgs(args[min(1, len(args)):])
	err := root.ExecuteContext(ctx)
	if err != nil {
		a.explain(ctx, err)
	}
	return exitCode(err)
}

// app is what all commands share.
type app struct {
	streams *term.Streams
	getenv  func(string) string
	now     func() time.Time
	clouds  clouds.Options // how the clouds are reached, beyond the defaults
	flags   flags
	lists   []references.List // what --first names
	metrics *sync.Metrics     // of a command that syncs
	queues  []*events.Queue   // of ECR's events
	history history
	reads   bool           // the command writes no document, and takes no lock
	unseen  []stage.Unseen // sides that could not be opened, where patience goes on without
	// patience is how long a command that goes on without a side that it cannot see bears failures; 0 for all others, which
	// need both sides.
	patience time.Duration
}

// flags are the shared ones.
type flags struct {
	from, include, exclude []string
	to, workspace, config  string
	wave                   string
	json, yes, verbose     bool
	overwrite, deep        bool        // of some commands
	access                 accessFlags // of provision
	selection              selection
	limits                 limits
	sharding               sharding
	part                   shard.Part // what this machine copies of the plan
	sync                   syncing
	gate                   gate
	image                  time.Duration // how long one image may take; 0: no bound
	first                  []string
	ranks                  bool // the command looks at first
	costs                  bool // the command estimates
	bandwidth              string
	logFormat              string
}

// explain tells an error to the user. What a command has shown already is not said again.
func (a *app) explain(ctx context.Context, err error) {
	if _, shown := errors.AsType[*incompleteError](err); shown {
		return
	}
	if ctx.Err() != nil {
		fmt.Fprintln(a.streams.Err, "transship: stopped: run the same command again to go on")
		if _, unwritten := errors.AsType[*fs.PathError](err); !unwritten { // what the stop itself broke is not worth a word
			return
		}
	}
	parts := []error{err}
	if m, is := errors.AsType[*plan.MappingError](err); is { // each has a place of its own in the file
		parts = m.Unwrap()
	}
	for _, part := range parts {
		fmt.Fprintf(a.streams.Err, "%s %s\n", a.streams.ErrStyle().Bad("transship:"), term.Clean(part.Error()))
	}
}

// addShared gives cmd the flags that every command has.
func (a *app) addShared(cmd *cobra.Command) {
	f := cmd.PersistentFlags()
	f.StringArrayVar(&a.flags.from, "from", nil, "ECR registry `HOST` to migrate from (repeatable)")
	f.StringVar(&a.flags.to, "to", "", "`TARGET` in Artifact Registry: LOCATION-docker.pkg.dev/PROJECT/REPOSITORY")
	f.StringVarP(&a.flags.workspace, "workspace", "w", "", "folder `DIR` for the migration's documents (default \"transship\")")
	f.StringVar(&a.flags.config, "config", "", "configuration `FILE` (default \"transship.yaml\" if it exists)")
	f.StringArrayVar(&a.flags.include, "include", nil, "only repositories that match `GLOB` (repeatable)")
	f.StringArrayVar(&a.flags.exclude, "exclude", nil, "no repositories that match `GLOB` (repeatable)")
	f.StringVar(&a.flags.wave, "wave", "", "only the wave `NAME` of the configuration")
	f.BoolVar(&a.flags.json, "json", false, "print the result as JSON")
	f.BoolVar(&a.flags.yes, "yes", false, "do not ask before changing anything")
	f.BoolVarP(&a.flags.verbose, "verbose", "v", false, "log every request to stderr; show long lists whole")
	f.StringVar(&a.flags.logFormat, "log-format", "", "`FORMAT` of the log: text or json (default \"text\")")
}

// addOverwrite gives cmd the flag that takes tags of others.
func (a *app) addOverwrite(cmd *cobra.Command) {
	cmd.Flags().BoolVar(&a.flags.overwrite, "overwrite", false, "move tags that somebody else moved at the target")
}

// addDeep gives cmd the flag that asks for every blob.
func (a *app) addDeep(cmd *cobra.Command) {
	cmd.Flags().BoolVar(&a.flags.deep, "deep", false, "ask for every blob of every image when verifying")
}

// settings are the flags and the configuration together.
type settings struct {
	config
	sources  []source
	mapping  ref.Mapping
	scope    ref.Scope
	whole    ref.Scope // what the file alone says
	waves    []ref.Wave
	limits   *clouds.Limits
	part     shard.Part    // what this machine copies of the plan
	planFile string        // empty for the workspace's plan
	partial  bool          // --from leaves out sources of the file
	image    time.Duration // how long one image may take; 0: no bound
}

// settings reads the configuration and lays the flags over it.
func (a *app) settings() (settings, error) {
	c, err := readConfig(a.flags.config)
	if err != nil {
		return settings{}, err
	}
	declared, _ := c.sourcesOf()
	whole, err := ref.ParseScope(c.Include, c.Exclude)
	if err != nil {
		return settings{}, usagef("%s: %w", c.path, err)
	}
	a.merge(&c.file)
	s := settings{config: c, whole: whole}
	if s.LogFormat != "text" && s.LogFormat != "json" {
		return s, usagef("--log-format: %q is neither text nor json", s.LogFormat)
	}
	if s.limits, err = s.file.limits(); err != nil {
		return s, err
	}
	if a.flags.sharding.asked {
		if s.part, err = s.file.part(a.getenv); err != nil {
			return s, err
		}
		s.limits.Workers, s.planFile = s.part.Count, s.Plan
	}
	if s.image, err = parseSpan("--image-timeout", s.ImageTimeout); err != nil {
		return s, err
	}
	a.flags.image = s.image
	if s.sources, err = c.sourcesOf(); err != nil {
		return s, err
	}
	s.partial = slices.ContainsFunc(declared, func(d source) bool {
		return !slices.ContainsFunc(s.sources, func(of source) bool { return of.registry == d.registry })
	})
	if s.mapping, err = c.rules(); err != nil {
		return s, err
	}
	if s.scope, err = ref.ParseScope(s.Include, s.Exclude); err != nil {
		return s, usagef("--%w", err)
	}
	if s.waves, err = c.wavesOf(); err != nil || s.Wave == "" {
		return s, err
	}
	i := slices.IndexFunc(s.waves, func(w ref.Wave) bool { return w.Name == s.Wave })
	if i < 0 {
		return s, usagef("there is no wave %q in %s (there are: %s)", s.Wave, c.path, names(s.waves))
	}
	s.scope.Wave = s.waves[i]
	return s, nil
}

func names(waves []ref.Wave) string {
	if len(waves) == 0 {
		return "none"
	}
	var out []string
	for _, w := range waves {
		out = append(out, w.Name)
	}
	return strings.Join(out, ", ")
}

// merge lets the flags win over the file, and fills in the defaults.
func (a *app) merge(f *file) {
	if len(a.flags.from) > 0 { // the flag names all sources; what the file says of how to reach them stays
		f.Sources = slices.DeleteFunc(f.Sources, func(o origin) bool { return !slices.ContainsFunc(a.flags.from, o.is) })
		a.flags.from = slices.DeleteFunc(a.flags.from, func(host string) bool {
			return slices.ContainsFunc(f.Sources, func(o origin) bool { return o.is(host) })
		})
		f.From = nil
	}
	for _, list := range []struct {
		flag []string
		file *[]string
	}{{a.flags.from, &f.From}, {a.flags.include, &f.Include}, {a.flags.exclude, &f.Exclude}, {a.flags.first, &f.First}} {
		if len(list.flag) > 0 {
			*list.file = list.flag
		}
	}
	for _, text := range []struct {
		flag, otherwise string
		file            *string
	}{{a.flags.to, "", &f.To}, {a.flags.wave, "", &f.Wave}, {a.flags.workspace, "transship", &f.Workspace}, {a.flags.logFormat, "text", &f.LogFormat}} {
		if text.flag != "" {
			*text.file = text.flag
		}
		if *text.file == "" {
			*text.file = text.otherwise
		}
	}
	a.mergeSelection(f)
	a.mergeLimits(f)
	a.mergeSharding(f)
	a.mergeSync(f)
	a.mergeGate(f)
	f.JSON = f.JSON || a.flags.json
	f.Yes = f.Yes || a.flags.yes
	f.Verbose = f.Verbose || a.flags.verbose
	f.Overwrite = f.Overwrite || a.flags.overwrite
	f.Deep = f.Deep || a.flags.deep
	a.flags.json, a.flags.yes, a.flags.verbose, a.flags.logFormat = f.JSON, f.Yes, f.Verbose, f.LogFormat
	a.flags.overwrite, a.flags.deep = f.Overwrite, f.Deep
}

// complete fills in from the documents of the workspace which migration it is, where neither flags nor file say so.
func (s *settings) complete() error {
	if len(s.sources) > 0 && (s.mapping.Default != (ref.TargetImage{}) || len(s.mapping.Rules) > 0) {
		return nil
	}
	if len(s.mapping.Rules) == 0 {
		w := workspace.Workspace{Dir: s.Workspace}
		h, err := document.ReadHeader(cmp.Or(s.planFile, w.Plan()), document.KindPlan)
		if err != nil {
			h, err = document.ReadHeader(w.Inventory(), document.KindInventory)
		}
		m := h.Migration
		if err == nil && m.Mapping == "" {
			if len(s.sources) == 0 {
				for _, r := range m.Sources {
					s.sources = append(s.sources, source{registry: r})
				}
			}
			if s.mapping.Default == (ref.TargetImage{}) {
				s.mapping, err = config{file: file{To: m.Target}}.rules()
			}
			return err
		}
	}
	if len(s.sources) == 0 {
		return usagef("no source: pass --from ACCOUNT.dkr.ecr.REGION.amazonaws.com, or write from: into %s", defaultConfig)
	}
	return usagef("no target: pass --to LOCATION-docker.pkg.dev/PROJECT/REPOSITORY, or write to: into %s", defaultConfig)
}

// need says which clouds a command talks to.
type need uint8

const (
	needSource need = 1 << iota
	needTarget
	needBoth = needSource | needTarget
)

// open returns the pipeline of the migration that the flags, the configuration or the workspace name. close gives the
// workspace back.
func (a *app) open(ctx context.Context, n need) (p *stage.Pipeline, closed func(), err error) {
	s, err := a.settings()
	if err != nil {
		return nil, nil, err
	}
	if err := s.complete(); err != nil {
		return nil, nil, err
	}
	p = &stage.Pipeline{PlanFile: s.planFile, Waves: s.waves, Now: a.now, Logger: a.logger()}
	a.flags.part = s.part
	a.unsharded(p, s.part)
	registries := make([]ref.Registry, 0, len(s.sources))
	for _, from := range s.sources {
		registries = append(registries, from.registry)
	}
	p.Whole, p.Sync = s.whole, s.Sync || s.Interval != "" || len(s.Events) > 0 || a.metrics != nil
	if p.Guards, err = s.guards(); err != nil {
		return nil, nil, err
	}
	if p.Costs, err = a.costs(s); err != nil {
		return nil, nil, err
	}
	p.Rules = plan.Rules{Migration: plan.NewMigration(registries, s.mapping), Mapping: s.mapping, Scope: s.scope, Narrowed: s.partial}
	if p.Rules.Selection, err = s.selection(a.now()); err != nil {
		return nil, nil, err
	}
	if a.lists, err = s.lists(a); err != nil {
		return nil, nil, err
	}
	if err := a.reach(ctx, p, n, s, a.reaching(s, p.Logger)); err != nil {
		return nil, nil, err
	}
	whole, err := a.workspace(s.Workspace)
	if err != nil {
		return nil, nil, err
	}
	if p.Workspace, err = whole.Wave(s.Wave); err != nil {
		return nil, nil, errors.Join(err, whole.Close())
	}
	if p.Grouped = s.Layout == governance.LayoutGrouped; p.Grouped && p.Guards == nil {
		return nil, nil, errors.Join(usagef("%s: layout: grouped needs the guards that no-guards leaves alone", s.path), whole.Close())
	}
	if err := p.UseLayout(); err != nil {
		return nil, nil, errors.Join(err, whole.Close())
	}
	if n != 0 && !a.reads { // what asks no cloud only reads, too
		if err := p.Workspace.Prepare(); err != nil {
			return nil, nil, errors.Join(err, whole.Close())
		}
	}
	return p, func() { _ = whole.Close() }, nil
}

// workspace is the folder of the documents: locked, but for a command that only reads what is replaced whole. A sync may
// hold the lock for weeks, and where it stands is asked meanwhile.
func (a *app) workspace(dir string) (*workspace.Workspace, error) {
	if a.reads {
		return workspace.At(dir, ""), nil
	}
	return workspace.Open(dir)
}

// logger writes to stderr: warnings, and with -v every request.
func (a *app) logger() *slog.Logger { return a.loggerAt(slog.LevelWarn) }

// loggerAt is logger with a level of its own.
func (a *app) loggerAt(level slog.Level) *slog.Logger {
	o := &slog.HandlerOptions{Level: level}
	if a.flags.verbose {
		o.Level = slog.LevelDebug
	}
	if a.flags.logFormat == "json" {
		return slog.New(slog.NewJSONHandler(a.streams.Err, o))
	}
	return slog.New(slog.NewTextHandler(a.streams.Err, o))
}

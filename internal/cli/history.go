package cli

import (
	"cmp"
	"context"
	"errors"
	"maps"
	"net/http"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"transship/internal/cli/term"
	"transship/internal/clouds"
	"transship/internal/document"
	"transship/internal/stage"
)

// history is what the running command does, for a line of history.jsonl. The zero value is ready.
type history struct {
	command  string
	settings []string
	notes    []string // what came of its stages
	bytes    int64    // of blobs, from the source

	mu    sync.Mutex
	hosts map[string]*document.HostTraffic
}

// remembered are the commands that stand in the history.
var remembered = []string{"inventory", "plan", "provision", "copy", "verify", "migrate", "sync", "rewrite", "cutover", "demo"}

// untold are the flags that say where rather than how.
var untold = []string{"from", "to", "workspace", "config", "wave", "json", "yes", "verbose", "log-format", "shard", "shards", "help", "events", "listen"}

// begin notes which command runs, and with which flags.
func (h *history) begin(cmd *cobra.Command) {
	h.command = cmd.Name()
	cmd.Flags().Visit(func(f *pflag.Flag) {
		if !slices.Contains(untold, f.Name) {
			h.settings = append(h.settings, "--"+f.Name+"="+strings.Trim(f.Value.String(), "[]"))
		}
	})
	slices.Sort(h.settings)
}

// note adds what came of a stage.
func (h *history) note(summary string) { h.notes = append(h.notes, summary) }

// watch has o tell of every attempt of a request, besides whom it tells already.
func (h *history) watch(o clouds.Options) clouds.Options {
	before := o.Observe
	o.Observe = func(host string, status int, throttled bool) {
		if before != nil {
			before(host, status, throttled)
		}
		h.count(host, status, throttled)
	}
	return o
}

func (h *history) count(host string, status int, throttled bool) {
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.hosts == nil {
		h.hosts = map[string]*document.HostTraffic{}
	}
	t := h.hosts[host]
	if t == nil {
		t = &document.HostTraffic{Host: host}
		h.hosts[host] = t
	}
	t.Requests++
	switch {
	case throttled:
		t.Throttled++
	case status == 0 || status >= http.StatusInternalServerError:
		t.Failed++
	}
}

// run is the line of the history, without when and of what.
func (h *history) run(ctx context.Context, err error) document.Run {
	r := document.Run{Command: h.command, Version: versionLine(), Settings: h.settings, Outcome: document.RunDone, Summary: strings.Join(h.notes, "; "), BytesRead: h.bytes}
	_, incomplete := errors.AsType[*incompleteError](err)
	switch {
	case err != nil && ctx.Err() != nil:
		r.Outcome = document.RunStopped
	case incomplete:
		r.Outcome, r.Error = document.RunIncomplete, err.Error()
	case err != nil:
		r.Outcome, r.Error = document.RunFailed, term.Clean(err.Error())
	}
	h.mu.Lock()
	defer h.mu.Unlock()
	for _, host := range slices.SortedFunc(maps.Values(h.hosts), func(a, b *document.HostTraffic) int { return cmp.Compare(a.Host, b.Host) }) {
		r.Hosts = append(r.Hosts, *host)
	}
	return r
}

// remember adds a line to the history of p. It is evidence and no more: that it cannot be written stops nothing.
func (a *app) remember(ctx context.Context, p *stage.Pipeline, started time.Time, err error) {
	if !slices.Contains(remembered, a.history.command) {
		return
	}
	r := a.history.run(ctx, err)
	r.Migration, r.Wave = p.Rules.Migration, p.Rules.Scope.Wave.Name
	if !a.flags.part.Whole() {
		r.Shard = a.flags.part.String()
	}
	a.append(p.Workspace.History(), r, started)
}

// append writes a line of the history.
func (a *app) append(path string, r document.Run, started time.Time) {
	r.StartedAt, r.EndedAt = started.UTC(), a.now().UTC()
	if err := document.AppendRun(path, r); err != nil {
		a.logger().Warn("the history is without this run", "error", err)
	}
}

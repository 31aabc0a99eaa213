package main

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"transship/bench/measure"
	"transship/bench/need"
	"transship/bench/report"
	"transship/bench/world"
	"transship/internal/cloudsim"
	"transship/internal/cloudsim/corpus"
)

// result is what one run of a tool took and left.
type result struct {
	measure.Usage
	counts  cloudsim.Counts
	arrived world.Arrived
}

func wall(r result) float64     { return r.Wall.Seconds() }
func cpu(r result) float64      { return r.CPU.Seconds() }
func requests(r result) float64 { return float64(r.counts.Total()) }
func rss(r result) float64      { return float64(r.RSS) / 1e6 }

// series are the results of one tool, by round.
type series []result

// median returns the middle of what f says of the results.
func (s series) median(f func(result) float64) float64 {
	var values []float64
	for _, r := range s {
		values = append(values, f(r))
	}
	return median(values)
}

// most returns the largest of what f says.
func (s series) most(f func(result) float64) float64 {
	var most float64
	for _, r := range s {
		most = max(most, f(r))
	}
	return most
}

// over returns the median of the ratios to base, round by round.
func (s series) over(base series, f func(result) float64) float64 {
	var ratios []float64
	for i := range min(len(s), len(base)) {
		ratios = append(ratios, f(s[i])/f(base[i]))
	}
	if len(s) < len(base) { // a peer's one run against all rounds of the yardstick
		return s.median(f) / base.median(f)
	}
	return median(ratios)
}

func median(values []float64) float64 {
	if len(values) == 0 {
		return 0
	}
	slices.Sort(values)
	half := len(values) / 2
	if len(values)%2 == 0 {
		return (values[half-1] + values[half]) / 2
	}
	return values[half]
}

// once runs a tool in a fresh world.
func (b *bench) once(ctx context.Context, t tool, c *corpus.Corpus, opts world.Options) (result, error) {
	return b.in(ctx, t, c, opts, nil)
}

// in is once, with a change to the world before the tool runs.
func (b *bench) in(ctx context.Context, t tool, c *corpus.Corpus, opts world.Options, change func(*world.World)) (r result, err error) {
	w, err := world.New(ctx, c, opts)
	if err != nil {
		return r, err
	}
	defer func() { err = errors.Join(err, w.Close()) }()
	if change != nil {
		change(w)
	}
	return b.inside(ctx, t, w)
}

// inside runs a tool in a world that is there.
func (b *bench) inside(ctx context.Context, t tool, w *world.World) (r result, err error) {
	run, err := t.prepare(w)
	if err != nil {
		return r, fmt.Errorf("prepare %s: %w", t.name, err)
	}
	before := w.Sim.Counts()
	if r.Usage, err = measure.Do(ctx, run); err != nil {
		return r, fmt.Errorf("%s: %w", t.name, err)
	}
	r.counts, r.arrived = w.Sim.Counts().Sub(before), w.Arrived()
	b.progress("%s: %.1f s, CPU %.1f s, %d requests, %d/%d tags, %d/%d manifests%s", t.name, wall(r), cpu(r), r.counts.Total(),
		r.arrived.Tags, r.arrived.AllTags, r.arrived.Manifests, r.arrived.AllManifests, r.trouble())
	return r, nil
}

// trouble says what failed, "" where nothing did.
func (r result) trouble() string {
	switch {
	case r.TimedOut:
		return fmt.Sprintf("; ended after %s", r.Wall.Round(time.Second))
	case r.Failed > 0:
		return fmt.Sprintf("; %d of %d processes failed: %s", r.Failed, r.Commands, r.Output)
	}
	return ""
}

// rounds runs the tools alternately, so many times.
func (b *bench) rounds(ctx context.Context, n int, tools []tool, c *corpus.Corpus, opts world.Options) ([]series, error) {
	out := make([]series, len(tools))
	for range n {
		for i, t := range tools {
			r, err := b.once(ctx, t, c, opts)
			if err != nil {
				return nil, err
			}
			out[i] = append(out[i], r)
		}
	}
	return out, nil
}

// comparison is a table of tools beside the yardstick and the formula.
type comparison struct {
	table   *report.Table
	formula need.Formula
	base    series
}

func compare(s *report.Section, caption string, formula need.Formula, base series) comparison {
	return comparison{formula: formula, base: base, table: s.Table(caption,
		"tool", "wall", "×", "CPU", "×", "requests", "of the formula", "refused", "read from ECR", "peak memory", "tags", "manifests", "processes failed")}
}

func (c comparison) row(name string, s series) {
	ratio := func(f func(result) float64) string {
		if len(c.base) == 0 {
			return "–"
		}
		return fmt.Sprintf("%.2f", s.over(c.base, f))
	}
	last := s[len(s)-1]
	failed := "–"
	if last.Failed > 0 {
		failed = fmt.Sprintf("%d of %d", last.Failed, last.Commands)
	}
	if last.TimedOut {
		failed += ", ended by the bench"
	}
	c.table.Row(name, fmt.Sprintf("%.1f s", s.median(wall)), ratio(wall), fmt.Sprintf("%.1f s", s.median(cpu)), ratio(cpu),
		number(int(s.median(requests))), fmt.Sprintf("%+.1f %%", 100*(s.median(requests)/float64(c.formula.Requests())-1)),
		number(last.counts.Tally("").Refused), fmt.Sprintf("%.2f ×", float64(last.counts.Tally("s3.get").Sent)/float64(max(1, c.formula.Bytes))),
		fmt.Sprintf("%.0f MB", s.most(rss)), share(last.arrived.Tags, last.arrived.AllTags), share(last.arrived.Manifests, last.arrived.AllManifests), failed)
}

// share shows how many of all arrived.
func share(n, all int) string {
	if n == all {
		return "all " + number(all)
	}
	return number(n) + " of " + number(all)
}

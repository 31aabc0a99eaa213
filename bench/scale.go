package main

import (
	"context"
	"fmt"

	"transship/bench/report"
	"transship/bench/world"
	"transship/internal/cloudsim/corpus"
)

// What a hundred thousand images may take, with everything present.
const (
	mostScaleCPU    = 20  // seconds
	mostScaleMemory = 400 // MB
	mostGrowth      = 12  // for ten times the images: in proportion, and a fifth for the noise
)

// scale measures the stages where nothing is to be copied.
func (b *bench) scale(ctx context.Context, s *report.Section) error {
	small, big := corpus.Flat(100, 100), corpus.Flat(1000, 100)
	if b.quick {
		small, big = corpus.Flat(5, 20), corpus.Flat(10, 100)
	}
	s.About = "`transship inventory`, `plan` and `copy` in an empty workspace, with everything at the target already, no round-trip time. " +
		"CPU is the sum of the three commands, memory the most of one."
	table := s.Table("", "images", "repositories", "wall", "CPU", "of inventory", "of plan", "of copy", "peak memory", "of inventory", "of plan", "of copy", "requests")
	var results []result
	for _, spec := range []corpus.Spec{small, big} {
		c := corpus.Generate(spec)
		r, err := b.once(ctx, b.transship(fmt.Sprintf("transship, %d images", spec.Flat.Repositories*spec.Flat.Tags), lookAgain()), c, world.Options{Complete: true})
		if err != nil {
			return err
		}
		results = append(results, r)
		row := []string{number(spec.Flat.Repositories * spec.Flat.Tags), number(spec.Flat.Repositories), fmt.Sprintf("%.1f s", wall(r)), fmt.Sprintf("%.1f s", cpu(r))}
		for _, p := range r.Each {
			row = append(row, fmt.Sprintf("%.1f s", p.CPU.Seconds()))
		}
		row = append(row, fmt.Sprintf("%.0f MB", rss(r)))
		for _, p := range r.Each {
			row = append(row, fmt.Sprintf("%.0f MB", float64(p.RSS)/1e6))
		}
		table.Row(append(row, number(r.counts.Total()))...)
		if r.Failed > 0 {
			s.Note("A command failed: %s", r.Output)
		}
	}
	s.AtMost("CPU in seconds", "%.1f", cpu(results[1]), mostScaleCPU)
	s.AtMost("peak memory in MB", "%.0f", rss(results[1]), mostScaleMemory)
	s.AtMost("CPU for ten times the images ÷ CPU", "%.1f", cpu(results[1])/cpu(results[0]), mostGrowth)
	s.Is("commands that failed", number(results[0].Failed+results[1].Failed), "0")
	return nil
}

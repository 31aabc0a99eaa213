package main

import (
	"context"
	"fmt"
	"math"
	"os/exec"
	"strconv"
	"strings"
	"time"

	"transship/bench/report"
	"transship/bench/world"
	"transship/internal/cloudsim/corpus"
)

// What Transship promises to those who set nothing.
const (
	mostOverBest   = 1.10
	sourceLimit    = 200 // requests a second
	mostSourceLoss = 5   // per cent
)

const concurrencyFlag = "--max-concurrency"

// tuning compares Transship without flags to what the best flags could do.
func (b *bench) tuning(ctx context.Context, s *report.Section) error {
	s.About = "A cold copy of the standard corpus without flags, and with the concurrency capped at fixed numbers. Then a source that refuses what comes " +
		"faster than 200 requests a second, over all of ECR's operations and S3, with bursts of one second: 429 without Retry-After at the data plane, " +
		"ThrottlingException at the API."
	if err := b.fixed(ctx, s); err != nil {
		return err
	}
	return b.limitedSource(ctx, s)
}

// canCap asks the binary whether it has the flag.
func (b *bench) canCap(ctx context.Context) bool {
	help, err := exec.CommandContext(ctx, b.tools["transship"], "copy", "--help").CombinedOutput()
	return err == nil && strings.Contains(string(help), concurrencyFlag)
}

func (b *bench) fixed(ctx context.Context, s *report.Section) error {
	c := corpus.Generate(b.standard())
	tools := []tool{b.transship("no flags", coldVerbs())}
	numbers := []int{8, 16, 32, 64, 128, 256}
	if b.quick {
		numbers = []int{16, 128}
	}
	if !b.canCap(ctx) {
		s.Note("This Transship has no `%s`: there is nothing to compare it with.", concurrencyFlag)
		numbers = nil
	}
	for _, n := range numbers {
		text := strconv.Itoa(n)
		tools = append(tools, b.transship("at most "+text, coldVerbs(), concurrencyFlag, text))
	}
	table, memory := s.Table("Wall of a cold copy:", "round-trip time"), s.Table("Its processor time and peak memory:", "round-trip time")
	for _, t := range tools {
		table.Header, memory.Header = append(table.Header, t.name), append(memory.Header, t.name)
	}
	for _, rtt := range b.rtts {
		all, err := b.rounds(ctx, b.runs, tools, c, world.Options{RTT: rtt})
		if err != nil {
			return err
		}
		row, second, best := []string{rtt.String()}, []string{rtt.String()}, math.Inf(1)
		for i, one := range all {
			row = append(row, fmt.Sprintf("%.2f s", one.median(wall)))
			second = append(second, fmt.Sprintf("%.1f s, %.0f MB", one.median(cpu), one.most(rss)))
			if i > 0 {
				best = min(best, one.median(wall))
			}
		}
		table.Row(row...)
		memory.Row(second...)
		if len(all) > 1 {
			s.AtMost(fmt.Sprintf("no flags ÷ the best number at %s", rtt), "%.2f", all[0].median(wall)/best, mostOverBest)
		}
	}
	return nil
}

func (b *bench) limitedSource(ctx context.Context, s *report.Section) error {
	spec := corpus.Flat(20, 100)
	if b.quick {
		spec = corpus.Flat(4, 50)
	}
	c := corpus.Generate(spec)
	table := s.Table(fmt.Sprintf("A source of %d requests a second, %s unique blobs:", sourceLimit, number(len(c.Blobs))),
		"round-trip time", "wall", "least wall", "requests to ECR and S3", "refused", "of them", "manifests")
	for _, rtt := range []time.Duration{0, 40 * time.Millisecond} {
		r, err := b.in(ctx, b.transship("transship, source of 200 a second", coldVerbs()), c, world.Options{RTT: rtt},
			func(w *world.World) { w.LimitSource(sourceLimit) })
		if err != nil {
			return err
		}
		source := r.counts.Tally("ecr", "s3")
		lost := 100 * float64(source.Refused) / float64(max(1, source.Requests))
		table.Row(rtt.String(), fmt.Sprintf("%.1f s", wall(r)), fmt.Sprintf("%.1f s", max(0, float64(2*len(c.Blobs)-sourceLimit)/sourceLimit)),
			number(source.Requests), number(source.Refused), fmt.Sprintf("%.1f %%", lost), share(r.arrived.Manifests, r.arrived.AllManifests))
		s.AtMost(fmt.Sprintf("per cent of the source's requests refused at %s", rtt), "%.1f", lost, mostSourceLoss)
		s.Is(fmt.Sprintf("arrived from the limited source at %s", rtt), arrivals(series{r}), "everything")
	}
	return nil
}

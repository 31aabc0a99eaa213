package main

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"transship/bench/measure"
	"transship/bench/need"
	"transship/bench/report"
	"transship/bench/world"
	"transship/internal/cloudsim/arsim"
	"transship/internal/cloudsim/corpus"
)

// What a copy under quotas promises.
const (
	defaultWrites = 18_000 // a minute, by default
	mostOverQuota = 1.1
	mostRefused   = 2 // per cent
)

// quota copies more than the quotas let through at once.
func (b *bench) quota(ctx context.Context, s *report.Section) error {
	s.About = "Flat corpora (`corpus.Flat`: tiny images, so that requests are all that counts) under Artifact Registry's quotas per project and " +
		"region: 18,000 writes and 60,000 requests a minute by default, and a tenth of them, of which Transship is not told. The embedded quota is a " +
		"fixed window of a minute that begins with its first request. A client that loses nothing takes writes ÷ quota; the first window's requests may come at " +
		"once, so a little less is possible. A refused request is an HTTP 429."
	table := s.Table("", "run", "writes", "quota a minute", "wall", "writes ÷ quota", "wall ÷ that", "refused", "of the requests to AR", "tags", "manifests")
	cases := []struct {
		repositories, tags, divisor int
	}{{9, 120, 10}}
	switch {
	case b.quick:
		cases[0].repositories, cases[0].tags = 3, 100
	case b.long:
		cases = append(cases, struct{ repositories, tags, divisor int }{90, 120, 1})
	}
	for _, k := range cases {
		c := corpus.Generate(corpus.Flat(k.repositories, k.tags))
		opts := world.Options{Quotas: arsim.Quotas{}.Divided(k.divisor)}
		r, err := b.once(ctx, b.transship("transship", coldVerbs()), c, opts)
		if err != nil {
			return err
		}
		if err := quotaRow(s, table, "**Transship**", c, k.divisor, r, true); err != nil {
			return err
		}
		if b.peers && k.divisor > 1 {
			for _, t := range b.peerTools() {
				if !strings.Contains(t.name, "16 processes") && !strings.HasPrefix(t.name, "regsync") {
					continue // the quickest of each kind will do: this takes minutes
				}
				if r, err = b.once(ctx, t, c, opts); err != nil {
					return err
				}
				if err := quotaRow(s, table, t.name, c, k.divisor, r, false); err != nil {
					return err
				}
			}
		}
	}
	if !b.long {
		s.Note("The default quotas take 54,000 writes to be felt: `-long` runs that.")
	}
	return b.twoAtOnce(ctx, s)
}

// quotaRow adds a run to the table and judges it.
func quotaRow(s *report.Section, table *report.Table, name string, c *corpus.Corpus, divisor int, r result, judge bool) error {
	formula, err := need.Of(c)
	if err != nil {
		return err
	}
	quota := defaultWrites / divisor
	least := 60 * float64(formula.Writes()) / float64(quota)
	target := r.counts.Tally("ar")
	refused := 100 * float64(target.Refused) / float64(max(1, target.Requests))
	table.Row(name, number(formula.Writes()), number(quota), fmt.Sprintf("%.0f s", wall(r)), fmt.Sprintf("%.0f s", least), fmt.Sprintf("%.2f", wall(r)/least),
		number(target.Refused), fmt.Sprintf("%.2f %%", refused), share(r.arrived.Tags, r.arrived.AllTags), share(r.arrived.Manifests, r.arrived.AllManifests))
	if judge {
		at := fmt.Sprintf(" at %s writes a minute", number(quota))
		s.AtMost("wall ÷ (writes ÷ quota)"+at, "%.2f", wall(r)/least, mostOverQuota)
		s.AtMost("per cent of the requests refused"+at, "%.2f", refused, mostRefused)
		s.Is("arrived"+at, arrivals(series{r}), "everything")
	}
	return nil
}

// twoAtOnce lets two Transships share one project's quota, each with half of the repositories.
func (b *bench) twoAtOnce(ctx context.Context, s *report.Section) (err error) {
	const repositories, divisor = 10, 10
	tags := 108
	if b.quick {
		tags = 25
	}
	c := corpus.Generate(corpus.Flat(repositories, tags))
	w, err := world.New(ctx, c, world.Options{Quotas: arsim.Quotas{}.Divided(divisor)})
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, w.Close()) }()
	of := map[string]int{}
	var include [2][]string
	for i, repo := range c.Repositories {
		half := i * 2 / len(c.Repositories)
		of[repo.Name] = half
		include[half] = append(include[half], "--include", repo.Name)
	}
	shares := w.CountShares(func(image string) int { return of[image] }, [2]int{repositories * tags / 2, repositories * tags / 2})
	two := tool{"two transships", func(w *world.World) (measure.Run, error) {
		return measure.Run{Parallel: 2, Lanes: [][]measure.Command{
			b.transshipLane(w, "first", coldVerbs(), include[0]...), b.transshipLane(w, "second", coldVerbs(), include[1]...),
		}}, nil
	}}
	r, err := b.inside(ctx, two, w)
	if err != nil {
		return err
	}
	table := s.Table("Two Transships at once on one project, half of the repositories each, by `--include`, under a tenth of the quota. "+
		"The share is of the images that arrived until the first of them was done:", "run", "wall", "images", "share while both ran")
	then := shares.WhileBoth()
	for i, name := range []string{"first", "second"} {
		table.Row(name, fmt.Sprintf("%.0f s", r.Lanes[i].Seconds()), number(then[i]), fmt.Sprintf("%.0f %%", 100*float64(then[i])/float64(max(1, then[0]+then[1]))))
	}
	total := s.Table("Both together:", "run", "writes", "quota a minute", "wall", "writes ÷ quota", "wall ÷ that", "refused", "of the requests to AR", "tags", "manifests")
	if err := quotaRow(s, total, "two Transships", c, divisor, r, false); err != nil {
		return err
	}
	s.Is("arrived of two at once", arrivals(series{r}), "everything")
	return nil
}

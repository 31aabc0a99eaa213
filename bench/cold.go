package main

import (
	"context"
	"fmt"
	"slices"
	"time"

	"transship/bench/need"
	"transship/bench/report"
	"transship/bench/world"
	"transship/internal/cloudsim/corpus"
)

// What a cold copy promises, beside the bare minimum and the formula.
const (
	mostWall     = 1.25
	mostCPU      = 1.5
	mostRequests = 1.02
	mostMemory   = 80 // MB
)

// standard is the corpus that most sections use.
func (b *bench) standard() corpus.Spec {
	if b.quick {
		return corpus.Demo()
	}
	return corpus.Standard()
}

// cold copies the standard corpus into an empty target, at each round-trip time.
func (b *bench) cold(ctx context.Context, s *report.Section) error {
	c := corpus.Generate(b.standard())
	formula, err := need.Of(c)
	if err != nil {
		return err
	}
	s.About = fmt.Sprintf("`transship plan` and `transship copy` in an empty workspace, no quotas, %s into an empty repository: U = %d, P = %d, R = %d, "+
		"pages = %d, so the formula says %s requests. %d rounds for Transship and the bare minimum, one for each peer. Peers copy tags and "+
		"what these need; images without a tag do not count as missing for them.",
		size(c), formula.Unique, formula.Further, formula.References, formula.Pages, number(formula.Requests()), b.runs)
	for _, rtt := range b.rtts {
		if err := b.coldAt(ctx, s, rtt, c, formula); err != nil {
			return err
		}
	}
	return b.coldLarger(ctx, s)
}

func size(c *corpus.Corpus) string {
	st := c.Stats()
	return fmt.Sprintf("%d repositories with %s manifests, %s tags and %.0f MB of unique blobs", st.Repositories, number(st.Manifests), number(st.Tags), float64(st.Bytes)/1e6)
}

func (b *bench) coldAt(ctx context.Context, s *report.Section, rtt time.Duration, c *corpus.Corpus, formula need.Formula) error {
	b.progress("-- round-trip time %s", rtt)
	opts := world.Options{RTT: rtt}
	compared, err := b.rounds(ctx, b.runs, []tool{b.bareMinimum(), b.transship("transship", coldVerbs())}, c, opts)
	if err != nil {
		return err
	}
	bare, ours := compared[0], compared[1]
	table := compare(s, fmt.Sprintf("Round-trip time %s:", rtt), formula, bare)
	table.row("bare minimum", bare)
	table.row("**Transship**", ours)
	if b.peers && slices.Contains(b.peerRTTs, rtt) {
		for _, t := range b.peerTools() {
			r, err := b.once(ctx, t, c, opts)
			if err != nil {
				return err
			}
			table.row(t.name, series{r})
		}
	}
	at, last := fmt.Sprintf(" at %s", rtt), ours[len(ours)-1]
	s.AtMost("wall ÷ bare minimum"+at, "%.2f", ours.over(bare, wall), mostWall)
	s.AtMost("CPU ÷ bare minimum"+at, "%.2f", ours.over(bare, cpu), mostCPU)
	s.AtMost("requests ÷ formula"+at, "%.4f", (ours.most(requests)-float64(guards(last)))/float64(formula.Requests()), mostRequests)
	s.Is("bytes read from ECR"+at, number(int(last.counts.Tally("s3.get").Sent)), number(int(formula.Bytes)))
	s.AtMost("peak memory in MB"+at, "%.0f", ours.most(rss), mostMemory)
	s.Is("arrived"+at, arrivals(ours), "everything")
	return nil
}

// arrivals says whether each round brought everything.
func arrivals(all series) string {
	for _, r := range all {
		if !r.arrived.All() {
			return fmt.Sprintf("%s of the tags, %s of the manifests", share(r.arrived.Tags, r.arrived.AllTags), share(r.arrived.Manifests, r.arrived.AllManifests))
		}
	}
	return "everything"
}

// coldLarger asks whether memory grows with the bytes.
func (b *bench) coldLarger(ctx context.Context, s *report.Section) error {
	spec := b.standard()
	spec.LayerBytes *= 10
	c := corpus.Generate(spec)
	// The target forgets what it checked: the bench need not hold all bytes twice.
	r, err := b.once(ctx, b.transship("transship, ten times the bytes", coldVerbs()), c, world.Options{Forget: 64 << 10})
	if err != nil {
		return err
	}
	s.Note("Ten times the bytes, %s: %.1f s, CPU %.1f s, peak memory %.0f MB.", size(c), wall(r), cpu(r), rss(r))
	s.AtMost("peak memory in MB with ten times the bytes", "%.0f", rss(r), mostMemory)
	s.Is("arrived of ten times the bytes", arrivals(series{r}), "everything")
	return nil
}

// guards are the requests that ask what guards the images, which no client asks that only copies: three a repository and
// two a registry, once.
func guards(r result) int {
	return r.counts.Of("ecr.GetLifecyclePolicy", "ecr.GetRepositoryPolicy", "ecr.ListTagsForResource", "ecr.GetRegistryPolicy", "ecr.GetRegistryScanningConfiguration")
}

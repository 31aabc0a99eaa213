package main

import (
	"context"
	"errors"
	"fmt"
	"time"

	"transship/bench/report"
	"transship/bench/world"
	"transship/internal/cloudsim/corpus"
)

// lookAgain is a second run: a fresh inventory, or it would not see what changed.
func lookAgain() []string { return []string{"inventory", "plan", "copy"} }

// second measures runs that find everything there, or nearly.
func (b *bench) second(ctx context.Context, s *report.Section) error {
	repositories, tags := 100, 100
	if b.quick {
		repositories = 10
	}
	images := repositories * tags
	s.About = fmt.Sprintf("`transship inventory`, `plan` and `copy` in the workspace of an earlier run, %s images in %d repositories, all of them at the "+
		"target. Then one tag of one image moves at the source, and the same again. Below, the standard corpus at 40 ms: each tool's run over a complete target.",
		number(images), repositories)
	if err := b.secondOfMany(ctx, s, corpus.Generate(corpus.Flat(repositories, tags))); err != nil {
		return err
	}
	return b.secondOfPeers(ctx, s)
}

func (b *bench) secondOfMany(ctx context.Context, s *report.Section, c *corpus.Corpus) (err error) {
	w, err := world.New(ctx, c, world.Options{Complete: true})
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, w.Close()) }()
	st := c.Stats()
	bound := float64(st.Manifests)/100 + 2*float64(st.Repositories)
	table := s.Table("", "run", "wall", "CPU", "requests", "to ECR", "to Artifact Registry", "writes")
	again := b.transship("transship again", lookAgain())
	var last result
	for _, run := range []string{"first run, everything there", "second run, nothing to do", "one tag moved"} {
		if run == "one tag moved" {
			w.MoveTag(c.Repositories[0].Name, "v0", c.Repositories[0].Images[1].Digest)
		}
		if last, err = b.inside(ctx, again, w); err != nil {
			return err
		}
		writes := last.counts.Of("ar.v2.upload", "ar.v2.mount", "ar.v2.manifest.put")
		table.Row(run, fmt.Sprintf("%.1f s", wall(last)), fmt.Sprintf("%.1f s", cpu(last)), number(last.counts.Total()),
			number(last.counts.Of("ecr", "s3")), number(last.counts.Of("ar")), number(writes))
		switch run {
		case "second run, nothing to do":
			s.AtMost("requests of a second run", "%.0f", requests(last), bound)
			s.Is("writes of a second run", number(writes), "0")
		case "one tag moved":
			s.AtMost("requests with one tag moved", "%.0f", requests(last), bound)
			s.Is("writes with one tag moved", number(writes), "1")
			at := "elsewhere"
			if w.TagAtTarget(c.Repositories[0].Name, "v0") == c.Repositories[0].Images[1].Digest {
				at = "at its new image"
			}
			s.Is("the moved tag", at, "at its new image")
		}
	}
	return nil
}

// secondOfPeers runs each tool over a complete target.
func (b *bench) secondOfPeers(ctx context.Context, s *report.Section) error {
	c := corpus.Generate(b.standard())
	st := c.Stats()
	tools := []tool{b.transship("**Transship**", lookAgain())}
	if b.peers {
		tools = append(tools, b.peerTools()...)
	}
	table := s.Table("The standard corpus at 40 ms:", "tool", "wall", "CPU", "requests", "for each manifest", "writes", "processes failed")
	for i, t := range tools {
		r, err := b.secondAt40(ctx, t, c, i == 0)
		if err != nil {
			return err
		}
		table.Row(t.name, fmt.Sprintf("%.1f s", wall(r)), fmt.Sprintf("%.1f s", cpu(r)), number(r.counts.Total()),
			fmt.Sprintf("%.2f", requests(r)/float64(st.Manifests)), number(r.counts.Of("ar.v2.upload", "ar.v2.mount", "ar.v2.manifest.put")),
			fmt.Sprintf("%d of %d", r.Failed, r.Commands))
	}
	return nil
}

// secondAt40 runs a tool over a complete target; one with a workspace runs before, so that it has one.
func (b *bench) secondAt40(ctx context.Context, t tool, c *corpus.Corpus, twice bool) (r result, err error) {
	w, err := world.New(ctx, c, world.Options{RTT: 40 * time.Millisecond, Complete: true})
	if err != nil {
		return r, err
	}
	defer func() { err = errors.Join(err, w.Close()) }()
	if twice {
		if _, err := b.inside(ctx, t, w); err != nil {
			return r, err
		}
	}
	return b.inside(ctx, t, w)
}

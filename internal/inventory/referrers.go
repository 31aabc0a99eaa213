package inventory

import (
	"context"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"github.com/opencontainers/go-digest"

	"transship/internal/document"
	"transship/internal/ref"
	"transship/internal/registry"
)

// findReferrers adds the referrers that the sweeps did not show, as the mode says.
//
// FACTS A1, F2 [U]: DescribeImages has a field for the subject, so that a sweep should show referrers too; it was not
// tried on a real account. Where any image of the registry has a subject, it does. Where none has, either there are no
// referrers or the sweep hides them, and one question per repository finds out which.
func (w *sweep) findReferrers(ctx context.Context) {
	switch mode := w.config.Referrers; {
	case mode == ReferrersOff || ctx.Err() != nil:
	case mode == ReferrersAlways || !w.showsSubjects() && w.probe(ctx):
		w.askAll(ctx)
	}
}

func (w *sweep) showsSubjects() bool {
	for _, images := range w.images {
		if slices.ContainsFunc(images, func(i document.SourceImage) bool { return i.Subject != "" }) {
			return true
		}
	}
	return false
}

// probePatience is how long one probe may take, retries included: what does not answer this call never will, such as a
// stand-in for ECR that does not know it.
const probePatience = 5 * time.Second

// probe asks for the referrers of one image per repository, and reports whether there are some that the sweep did not
// show. Where it is not answered, the sweeps are trusted.
func (w *sweep) probe(ctx context.Context) bool {
	var hidden, unanswered atomic.Bool
	g := w.crew()
	for repo, images := range w.images {
		i, ok := newest(images)
		if !ok {
			continue
		}
		g.run(func() {
			if hidden.Load() || unanswered.Load() {
				return
			}
			patient, cancel := context.WithTimeout(ctx, probePatience)
			found, err := w.source.Referrers(patient, repo, i.Digest)
			cancel()
			switch {
			case registry.IsClass(err, registry.NotFound) || registry.IsClass(err, registry.NoRepository): // it went meanwhile
			case err != nil:
				if ctx.Err() == nil && !unanswered.Swap(true) {
					w.log().Warn("cannot ask ECR for referrers; those that its listings do not show will be missed",
						"registry", w.source.Registry().String(), "error", err)
				}
			case slices.ContainsFunc(found, func(r document.SourceImage) bool { return !holds(images, r.Digest) }):
				hidden.Store(true)
			}
		})
	}
	g.wait()
	return hidden.Load()
}

// newest returns the active image that was tagged and pushed last. What describes another image by its tag, such as a
// signature of cosign's, does not count: it is always newer than the image, and nothing describes it.
func newest(images []document.SourceImage) (document.SourceImage, bool) {
	var best document.SourceImage
	describes := func(tag string) bool {
		_, ok := registry.SubjectOfTag(tag)
		return ok
	}
	for _, i := range images {
		tagged := len(i.Tags) > 0 && !slices.ContainsFunc(i.Tags, describes)
		if tagged && i.Status == document.StatusActive && (best.Digest == "" || best.PushedAt.Before(i.PushedAt)) {
			best = i
		}
	}
	return best, best.Digest != ""
}

// holds reports whether images, sorted by digest, have d.
func holds(images []document.SourceImage, d digest.Digest) bool {
	_, ok := slices.BinarySearchFunc(images, d, func(i document.SourceImage, d digest.Digest) int {
		switch {
		case i.Digest < d:
			return -1
		case i.Digest > d:
			return 1
		}
		return 0
	})
	return ok
}

// question is an image whose referrers are asked for.
type question struct {
	repo    ref.Repository
	subject digest.Digest
}

// askAll asks for the referrers of every image, and of those for theirs, one request each. The first failure in a
// repository ends the questions about it.
func (w *sweep) askAll(ctx context.Context) {
	w.log().Info("asking ECR for the referrers of every image", "registry", w.source.Registry().String())
	known := map[question]bool{}
	var round []question
	for repo, images := range w.images {
		for _, i := range images {
			known[question{repo, i.Digest}] = true
			round = append(round, question{repo, i.Digest})
		}
	}
	failed := map[ref.Repository]bool{}
	found := map[ref.Repository][]document.SourceImage{}
	for len(round) > 0 && ctx.Err() == nil {
		var next []question
		for _, r := range w.ask(ctx, round, failed) {
			if q := (question{r.URI, r.Digest}); !known[q] {
				known[q] = true
				next = append(next, q)
				found[r.URI] = append(found[r.URI], r)
			}
		}
		round = next
	}
	for repo, images := range found {
		w.images[repo] = settle(append(w.images[repo], images...))
		w.progress.add(Progress{Images: len(images)})
	}
}

// ask returns all referrers that one round of questions finds, and notes the repositories in which it failed.
func (w *sweep) ask(ctx context.Context, round []question, failed map[ref.Repository]bool) []document.SourceImage {
	var mu sync.Mutex
	var found []document.SourceImage
	stopped := func(repo ref.Repository) bool {
		mu.Lock()
		defer mu.Unlock()
		return failed[repo]
	}
	g := w.crew()
	for _, q := range round {
		g.run(func() {
			if stopped(q.repo) {
				return
			}
			referrers, err := w.source.Referrers(ctx, q.repo, q.subject)
			if registry.IsClass(err, registry.NotFound) { // it went meanwhile
				return
			}
			mu.Lock()
			defer mu.Unlock()
			if err != nil {
				if !failed[q.repo] {
					failed[q.repo] = true
					w.fail(document.Failure{Source: q.repo.String(), Digest: q.subject}, err)
				}
				return
			}
			for _, r := range referrers {
				r = complete(r, q.repo)
				r.Subject = q.subject
				found = append(found, r)
			}
		})
	}
	g.wait()
	return found
}

package content

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"maps"
	"slices"
	"sync"

	"github.com/opencontainers/go-digest"
	"golang.org/x/sync/errgroup"

	"transship/internal/document"
	"transship/internal/ref"
	"transship/internal/registry"
)

// wanted is a manifest to read.
type wanted struct {
	digest  digest.Digest
	size    int64            // bytes where an index says so, else 0
	depth   int              // of indexes above it
	holders []ref.Repository // where it is, or should be; the first is asked first
	parent  digest.Digest    // the index that led here, empty for an image of the inventory
}

// reader is one run of Read.
type reader struct {
	config  Config
	sources map[ref.Registry]Source
	holders map[digest.Digest][]ref.Repository // active images in scope

	mu       sync.Mutex
	content  document.Content
	strings  document.Strings // those of the content
	visited  map[digest.Digest]bool
	next     []*wanted
	failures []document.Failure
	denied   map[ref.Repository]error // whole repositories that cannot be read
	reported map[ref.Repository]bool  // of them, which are among the failures
	progress Progress
}

func newReader(c Config) *reader {
	r := &reader{
		config: c, sources: map[ref.Registry]Source{}, holders: map[digest.Digest][]ref.Repository{},
		content: maps.Clone(c.Known), strings: document.Strings{}, visited: map[digest.Digest]bool{}, failures: []document.Failure{},
		denied: map[ref.Repository]error{}, reported: map[ref.Repository]bool{},
	}
	if r.content == nil {
		r.content = document.Content{}
	}
	for _, s := range c.Sources {
		r.sources[s.Registry()] = s
	}
	return r
}

// start makes the first round: every active image in scope that is not known, and what those need that are.
func (r *reader) start() {
	inScope := map[ref.Repository]bool{}
	for _, repo := range r.config.Inventory.Source.Repositories {
		if repo.PullThrough != "" && !r.config.PullThrough {
			inScope[repo.URI] = false
		}
	}
	for _, i := range r.config.Inventory.Source.Images {
		in, ok := inScope[i.URI]
		if !ok {
			in = r.config.Scope.Match(i.URI)
			inScope[i.URI] = in
		}
		if in && i.Status == document.StatusActive {
			r.holders[i.Digest] = append(r.holders[i.Digest], i.URI)
		}
	}
	roots := make([]*wanted, 0, len(r.holders))
	for d, holders := range r.holders {
		slices.SortFunc(holders, ref.Repository.Compare)
		r.holders[d] = slices.Compact(holders)
		r.visited[d] = true // before any child is wanted: what is listed itself does not count as nested
		roots = append(roots, &wanted{digest: d, holders: r.holders[d]})
	}
	for _, w := range roots {
		r.enqueue(w)
	}
}

// enqueue adds w to the next round unless it is known; then its children are wanted. The caller holds the lock, or is
// alone.
func (r *reader) enqueue(w *wanted) {
	if entry, ok := r.content[w.digest]; ok {
		r.wantChildren(entry, w)
		return
	}
	r.progress.Total++
	r.next = append(r.next, w)
}

func (r *reader) wantChildren(entry document.ContentEntry, w *wanted) {
	if len(entry.Children) > 0 && w.depth >= MaxDepth {
		r.fail(w, &registry.Error{Side: registry.Source, Op: "read manifest", Object: w.object(), Class: registry.Invalid,
			Err: fmt.Errorf("indexes are nested deeper than %d", MaxDepth), Hint: "no container runtime uses such an image: leave it behind"})
		return
	}
	for _, c := range entry.Children {
		holders := r.holders[c.Digest]
		if len(holders) == 0 {
			holders = w.holders // ECR takes an index only where its children are
		}
		if !r.visited[c.Digest] {
			r.visited[c.Digest] = true
			r.enqueue(&wanted{digest: c.Digest, size: c.Size, depth: w.depth + 1, holders: holders, parent: w.digest})
		}
	}
}

func (w *wanted) object() string {
	return w.holders[0].String() + "@" + w.digest.String()
}

// fail keeps what could not be read without ending the run. The caller holds the lock, or is alone.
func (r *reader) fail(w *wanted, err error) {
	repo := w.holders[0]
	whole := r.denied[repo] != nil // said once, not for each of its images
	if whole && r.reported[repo] {
		return
	}
	f := document.Failure{Source: repo.String(), Digest: w.digest}
	f.Class, f.Error, f.Hint = registry.Explain(err)
	switch {
	case whole:
		r.reported[repo] = true
		f.Digest = ""
	case w.parent != "":
		f.Error += fmt.Sprintf(" (the index %s needs it)", w.parent)
	}
	r.failures = append(r.failures, f)
}

// run reads rounds until nothing new is found.
func (r *reader) run(ctx context.Context) error {
	r.start()
	for len(r.next) > 0 && ctx.Err() == nil {
		round := r.next
		r.next = nil
		r.report(0)
		r.read(ctx, round)
	}
	slices.SortFunc(r.failures, func(a, b document.Failure) int {
		return cmp.Or(cmp.Compare(a.Source, b.Source), cmp.Compare(a.Digest, b.Digest))
	})
	return ctx.Err()
}

// read reads one round: each registry at its own pace.
func (r *reader) read(ctx context.Context, round []*wanted) {
	byRegistry := map[ref.Registry][]batch{}
	for _, b := range batches(round) {
		byRegistry[b.repo.Registry] = append(byRegistry[b.repo.Registry], b)
	}
	var wg sync.WaitGroup
	for name, list := range byRegistry {
		wg.Go(func() {
			g := errgroup.Group{}
			g.SetLimit(cmp.Or(r.config.Concurrency, DefaultConcurrency))
			for _, b := range list {
				g.Go(func() error {
					r.readBatch(ctx, r.sources[name], b)
					return nil
				})
			}
			_ = g.Wait() // failures are kept where they happen
		})
	}
	wg.Wait()
}

// readBatch reads one batch in bulk, and what that could not give by digest.
func (r *reader) readBatch(ctx context.Context, s Source, b batch) {
	err := r.repositoryError(b.repo)
	if s == nil {
		err = fmt.Errorf("%s is not a source of this migration", b.repo.Registry)
	}
	var found []registry.Manifest
	var failed map[digest.Digest]error
	if err == nil && ctx.Err() == nil {
		if found, failed, err = s.Manifests(ctx, b.repo, b.digests()); err != nil && hopeless(err) {
			r.giveUp(b.repo, err)
		}
	}
	served := make(map[digest.Digest]registry.Manifest, len(found))
	for _, m := range found {
		served[m.Digest] = m
	}
	for _, w := range b.wanted {
		if ctx.Err() != nil {
			return
		}
		m, ok := served[w.digest]
		why := cmp.Or(failed[w.digest], err)
		if ok {
			why = m.Check()
		} else if why == nil {
			why = &registry.Error{Side: registry.Source, Op: "read manifest", Object: w.object(), Class: registry.NotFound, Err: errNotServed}
		}
		if why != nil {
			m, why = r.fallBack(ctx, b.repo, w.digest, why)
		}
		var entry document.ContentEntry
		if why == nil {
			entry = Parse(m)
			why = r.measure(ctx, s, b.repo, &entry)
		}
		r.settle(ctx, w, entry, why)
	}
}

// measure finds out the sizes of the blobs whose manifest does not tell them.
func (r *reader) measure(ctx context.Context, s Source, repo ref.Repository, entry *document.ContentEntry) error {
	var unknown []digest.Digest
	for _, b := range entry.Blobs {
		if b.Size == registry.SizeUnknown {
			unknown = append(unknown, b.Digest)
		}
	}
	if len(unknown) == 0 {
		return nil
	}
	sizer, ok := s.(Sizer)
	if !ok {
		return &registry.Error{Side: registry.Source, Op: "look up layers", Object: repo.String() + "@" + entry.Digest.String(),
			Class: registry.Unsupported, Err: errors.New("its manifest does not tell the sizes of its layers, and the source does not either")}
	}
	sizes, err := sizer.LayerSizes(ctx, repo, unknown)
	if err != nil {
		return err
	}
	for n, b := range entry.Blobs {
		if size, ok := sizes[b.Digest]; ok {
			entry.Blobs[n].Size = size
		}
	}
	return nil
}

var errNotServed = errors.New("ECR lists it and does not serve it")

// hopeless reports whether an error of a whole call will meet every other call about that repository.
func hopeless(err error) bool {
	switch registry.ClassOf(err) {
	case registry.Denied, registry.Unauthorized, registry.NoRepository:
		return true
	}
	return false
}

func (r *reader) repositoryError(repo ref.Repository) error {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.denied[repo]
}

// giveUp notes that repo cannot be read at all, so that it is asked only once.
func (r *reader) giveUp(repo ref.Repository, err error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.denied[repo] == nil {
		r.denied[repo] = err
		r.log().Warn("cannot read the manifests of a repository", "repository", repo.String(), "error", err)
	}
}

// fallBack reads one manifest by digest where bulk reading failed with why, even where it was not found: a listing said
// that it is there. FACTS A1 [U]: BatchGetImage's documentation does not list the media types of indexes among those that
// it serves, and how it fails for them is not known.
func (r *reader) fallBack(ctx context.Context, repo ref.Repository, d digest.Digest, why error) (registry.Manifest, error) {
	if r.config.Fallback == nil || hopeless(why) || ctx.Err() != nil {
		return registry.Manifest{}, why
	}
	m, err := r.config.Fallback.Manifest(ctx, repo, d)
	if err != nil {
		return m, err
	}
	m.Digest = d
	if err := m.Check(); err != nil {
		return m, &registry.Error{Side: registry.Source, Op: "read manifest", Object: repo.String() + "@" + d.String(), Class: registry.Corrupt,
			Err: err, Hint: "the image is damaged in ECR: push it again, or leave it behind"}
	}
	return m, nil
}

// settle keeps what became of w: an entry whose children are wanted, another try at the next holder, or a failure.
func (r *reader) settle(ctx context.Context, w *wanted, entry document.ContentEntry, err error) {
	if ctx.Err() != nil && err != nil {
		return
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	switch {
	case err == nil:
		entry.Digest = w.digest
		entry.Share(r.strings)
		r.content[w.digest] = entry
		r.wantChildren(entry, w)
	case len(w.holders) > 1:
		w.holders = w.holders[1:]
		r.next = append(r.next, w)
		return
	default:
		r.fail(w, err)
	}
	r.reportLocked(1)
}

func (r *reader) report(done int) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.reportLocked(done)
}

func (r *reader) reportLocked(done int) {
	r.progress.Done += done
	if r.config.Progress != nil {
		r.config.Progress(r.progress)
	}
}

func (r *reader) log() *slog.Logger {
	if r.config.Logger == nil {
		return slog.New(slog.DiscardHandler)
	}
	return r.config.Logger
}

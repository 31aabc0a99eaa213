package cutover

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
	"time"

	"github.com/opencontainers/go-digest"

	"transship/internal/document"
	"transship/internal/ref"
	"transship/internal/registry"
)

// Target is Artifact Registry's data plane, as whoever pulls sees it.
type Target interface {
	HeadManifest(ctx context.Context, t ref.TargetImage, reference string) (digest.Digest, error)
	Manifest(ctx context.Context, t ref.TargetImage, d digest.Digest) (registry.Manifest, error)
	// OpenBlob reads a blob, whose last byte comes only where size and digest are right.
	OpenBlob(ctx context.Context, t ref.TargetImage, b registry.Blob) (io.ReadCloser, error)
}

// Canaries are images that were pulled on trial.
type Canaries struct {
	As     string // whom the target saw
	Nodes  bool   // that is who the nodes are, as the user said
	Pulled []Canary
	Err    error // why nothing could be pulled as the nodes
}

// Canary is one image that was pulled on trial.
type Canary struct {
	Image     ref.TargetImage
	Reference string // a tag, or a digest
	Platform  string // of an index, which of its images was pulled
	Blobs     int
	Bytes     int64
	Took      time.Duration
	Err       error
}

// maxCanaries is how many images are chosen where nobody chose any.
const maxCanaries = 3

// Choose chooses what is pulled on trial: the image that names say, as in ECR or at the target, or else of each target
// repository, of the images that it holds, the one that was pulled from ECR last. The error is about a name that is no image of the migration.
func Choose(inv document.Inventory, scope ref.Scope, to func(ref.Repository) (ref.TargetImage, error), names []string) ([]Canary, error) {
	if len(names) > 0 {
		return chosen(inv, scope, to, names)
	}
	there := places(inv.Target)
	latest := map[ref.TargetRepository]document.SourceImage{}
	for _, i := range inv.Source.Images {
		t, err := to(i.URI)
		if err != nil || !scope.Match(i.URI) || len(i.Tags) == 0 || there[t] == nil || !there[t].digests[i.Digest] {
			continue
		}
		if last, ok := latest[t.Repository]; !ok || recency(i).After(recency(last)) {
			latest[t.Repository] = i
		}
	}
	var out []Canary
	for _, i := range latest {
		t, _ := to(i.URI) // it did before
		out = append(out, Canary{Image: t, Reference: i.Tags[0]})
	}
	slices.SortFunc(out, func(a, b Canary) int { return a.Image.Compare(b.Image) })
	return out[:min(len(out), maxCanaries)], nil
}

// recency is when somebody wanted an image last.
func recency(i document.SourceImage) time.Time { return later(i.PushedAt, i.LastPulledAt) }

func chosen(inv document.Inventory, scope ref.Scope, to func(ref.Repository) (ref.TargetImage, error), names []string) ([]Canary, error) {
	var out []Canary
	for _, name := range names {
		path, reference := split(name)
		found := false
		for _, i := range inv.Source.Images {
			t, err := to(i.URI)
			if err != nil || !scope.Match(i.URI) || path != i.Name && path != i.URI.String() && path != t.String() {
				continue
			}
			if i.Digest.String() == reference || slices.Contains(i.Tags, reference) {
				out, found = append(out, Canary{Image: t, Reference: reference}), true
				break
			}
		}
		if !found {
			return nil, fmt.Errorf("%q is no image of the migration: want REPOSITORY:TAG or REPOSITORY@DIGEST, as in ECR", name)
		}
	}
	return out, nil
}

// split divides a reference; without a tag it means latest, as everywhere.
func split(name string) (path, reference string) {
	if path, d, ok := strings.Cut(name, "@"); ok {
		return path, d
	}
	if i := strings.LastIndexByte(name, ':'); i > strings.LastIndexByte(name, '/') {
		return name[:i], name[i+1:]
	}
	return name, "latest"
}

// Pull pulls an image as a node does: the manifest, of an index the one for linux/amd64 or else the first, and every byte
// of its config and layers, each checked against its digest. It keeps nothing.
func Pull(ctx context.Context, t Target, c Canary, now func() time.Time) Canary {
	started := now()
	c.Err = pull(ctx, t, &c)
	c.Took = now().Sub(started)
	return c
}

func pull(ctx context.Context, t Target, c *Canary) error {
	d := digest.Digest(c.Reference)
	if d.Validate() != nil {
		var err error
		if d, err = t.HeadManifest(ctx, c.Image, c.Reference); err != nil {
			return err
		}
	}
	for range maxNesting {
		m, err := t.Manifest(ctx, c.Image, d)
		if err != nil {
			return err
		}
		content, err := registry.ParseManifest(m)
		if err != nil {
			return fmt.Errorf("%s@%s: %w", c.Image, d, err)
		}
		if len(content.Children) == 0 {
			return pullBlobs(ctx, t, c, content.Blobs)
		}
		child := forNode(content.Children)
		d, c.Platform = child.Digest, child.Platform
	}
	return errors.New("its indexes are nested too deep for a node")
}

// maxNesting is how many indexes within indexes a node follows.
const maxNesting = 4

// forNode is the image that most nodes would take.
func forNode(children []registry.Child) registry.Child {
	if n := slices.IndexFunc(children, func(c registry.Child) bool { return c.Platform == "linux/amd64" }); n >= 0 {
		return children[n]
	}
	return children[0]
}

func pullBlobs(ctx context.Context, t Target, c *Canary, blobs []registry.Blob) error {
	for _, b := range blobs {
		in, err := t.OpenBlob(ctx, c.Image, b)
		if err != nil {
			return err
		}
		n, err := io.Copy(io.Discard, in)
		c.Blobs++
		c.Bytes += n
		if err := errors.Join(err, in.Close()); err != nil {
			return err
		}
	}
	return nil
}

// canary is whether the nodes can pull.
func (j *judge) canary() document.GateCheck {
	c := document.GateCheck{Name: CheckCanary, Title: "The nodes can pull from Artifact Registry", State: document.CheckPass}
	u, k := j.Units, j.Canaries
	if k.Err != nil {
		c.State, c.Do = document.CheckFail, []string{"let the caller act as the nodes"}
		c.Evidence = []string{u.Clean(cause(k.Err)) + "."}
		return c
	}
	for _, p := range k.Pulled {
		what := u.Clean(p.Image.Path + ":" + p.Reference)
		if strings.Contains(p.Reference, ":") {
			what = u.Clean(p.Image.Path + "@" + p.Reference)
		}
		if p.Err != nil {
			c.State = document.CheckFail
			c.Do = canaryRemedy(p.Err)
			c.Evidence = append(c.Evidence, "Could not pull "+what+": "+u.Clean(cause(p.Err))+".")
			continue
		}
		text := "Pulled " + what
		if p.Platform != "" {
			text += " (" + u.Clean(p.Platform) + ")"
		}
		c.Evidence = append(c.Evidence, fmt.Sprintf("%s: %s, %s in %s.", text, u.Count(p.Blobs, "blob"), u.Bytes(p.Bytes), u.Duration(p.Took)))
	}
	c.Evidence = append(c.Evidence, "By "+u.Clean(k.As)+".")
	switch {
	case c.State == document.CheckFail:
	case len(k.Pulled) == 0:
		c.State, c.Do = document.CheckUnknown, []string{"transship copy"}
		c.Evidence = []string{"The target holds no image to pull."}
	case !k.Nodes:
		c.State, c.Do = document.CheckUnknown, []string{"say who the nodes are, and the image is pulled as they would: --nodes EMAIL"}
		c.Evidence = append(c.Evidence, "Whether the nodes may do so is not known.")
	}
	return c
}

// canaryRemedy is what to do about a pull that failed.
func canaryRemedy(err error) []string {
	switch registry.ClassOf(err) {
	case registry.Denied:
		return []string{"give the nodes roles/artifactregistry.reader on the repository"}
	case registry.NotFound, registry.NoRepository:
		return []string{"transship copy", "transship verify"}
	case registry.Corrupt:
		return []string{"transship verify --deep"}
	}
	return []string{cmp.Or(registry.HintOf(err), "mend that, and look again")}
}

// cause is what an error says without what to do about it, which is told apart.
func cause(err error) string {
	_, text, _ := registry.Explain(err)
	return text
}

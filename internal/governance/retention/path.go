package retention

import (
	"cmp"
	"slices"
	"strings"
	"time"

	"github.com/opencontainers/go-digest"

	"transship/internal/document"
	"transship/internal/governance/cleanup"
)

// path is a package of the target repository with the sources that go there.
type path struct {
	name    string
	sources []*source // none where the package is there already
	pack    cleanup.Package
	at      map[digest.Digest]int // positions of the versions
	family  int                   // manifests of the largest image
}

// paths is the packages of the target repository, sorted by name.
func paths(sources []*source, others []string, now time.Time) []*path {
	byName := map[string]*path{}
	get := func(name string) *path {
		if byName[name] == nil {
			byName[name] = &path{name: name, family: 1}
		}
		return byName[name]
	}
	for _, name := range others {
		get(name)
	}
	for _, s := range sources {
		p := get(s.Package)
		p.sources = append(p.sources, s)
	}
	var out []*path
	for _, p := range byName {
		slices.SortStableFunc(p.sources, func(a, b *source) int { return a.Repository.Compare(b.Repository) })
		p.upload(now)
		out = append(out, p)
	}
	slices.SortFunc(out, func(a, b *path) int { return cmp.Compare(a.name, b.name) })
	return out
}

// upload brings the images of all sources to the package. Of what several of them hold, the oldest age and all tags count.
func (p *path) upload(now time.Time) {
	p.at = map[digest.Digest]int{}
	var versions []cleanup.Version
	for _, s := range p.sources {
		p.family = max(p.family, families(s.Images))
		for _, n := range s.copied {
			i := s.Images[n]
			at, ok := p.at[i.Digest]
			if !ok {
				p.at[i.Digest] = len(versions)
				versions = append(versions, cleanup.Version{Image: i, UploadedAt: now})
				continue
			}
			v := &versions[at]
			v.Tags = slices.Concat(v.Tags, i.Tags)
			if i.PushedAt.Before(v.PushedAt) {
				v.PushedAt = i.PushedAt
			}
		}
	}
	p.pack = cleanup.NewPackage(p.name, versions)
}

// templates is those that all sources of the package need.
func (p *path) templates() []template {
	if len(p.sources) == 0 {
		return nil
	}
	return p.sources[0].templates()
}

// keep is how many versions the package must keep so that the newest n images of ECR are among them. Whatever is copied
// counts as new, in an order that nobody knows; the newest n are those that come after it, each with its family.
func (p *path) keep(n int) int { return min(n*p.family+len(p.at), cleanup.MaxKeep) }

// settleSources refuses what several sources of one package want, unless they want the same.
func (p *path) settleSources() {
	for _, s := range p.sources {
		if !slices.Equal(s.templates(), p.templates()) {
			p.refuse("Several repositories go to the image path "+p.name+", and their lifecycle policies differ.",
				"Map them to image paths of their own (mappings), or make their policies the same.")
			return
		}
	}
}

func (p *path) refuse(reason, decide string) {
	for _, s := range p.sources {
		s.refuse(reason, decide)
	}
}

// settleNames refuses a package's policies where they would cover another package too that does not have the same:
// Artifact Registry knows packages only by how their names begin. FACTS C2. The list is sorted, so the packages whose
// names begin with that of one stand directly behind it; they are settled first.
func settleNames(list []*path) {
	for i, p := range slices.Backward(list) {
		templates := p.templates()
		if len(templates) == 0 {
			continue
		}
		for _, o := range list[i+1:] {
			if !strings.HasPrefix(o.name, p.name) {
				break
			}
			if !slices.Equal(o.templates(), templates) {
				p.refuse("Artifact Registry knows image paths only by how they begin: what is for "+p.name+" would also apply to "+o.name+
					", which does not have the same rules.",
					"Map one of the two to another repository (mappings, or layout: grouped).")
				break
			}
		}
	}
}

// assemble makes the policies of all packages, sorted by id. A repository that holds only one needs no names. That a name
// stands in a policy as in an image path, with its slashes, is not confirmed [U]; otherwise the policies cover nothing.
func assemble(list []*path, sole bool) []document.CleanupPolicy {
	type use struct {
		packages []string
		keep     int
	}
	uses := map[template]*use{}
	for _, p := range list {
		for _, t := range p.templates() {
			u := uses[t]
			if u == nil {
				u = &use{}
				uses[t] = u
			}
			u.packages = append(u.packages, p.name)
			u.keep = max(u.keep, p.keep(t.newest))
		}
	}
	var out []document.CleanupPolicy
	for t, u := range uses {
		if sole {
			u.packages = nil
		}
		out = append(out, t.policy(u.packages, u.keep))
	}
	slices.SortFunc(out, func(a, b document.CleanupPolicy) int { return cmp.Compare(a.ID, b.ID) })
	return out
}

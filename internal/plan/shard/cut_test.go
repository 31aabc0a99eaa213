package shard

import (
	"cmp"
	"fmt"
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/opencontainers/go-digest"
	"pgregory.net/rapid"

	"transship/internal/document"
	"transship/internal/ref"
	"transship/internal/registry"
)

// drawPlan makes any plan: indexes within indexes, referrers, sha256-* tags, layers that anything shares, several hosts,
// several sources of one target, huge and empty repositories.
func drawPlan(t *rapid.T) document.Plan {
	d := newDrawing()
	apart := rapid.IntRange(0, 4).Draw(t, "apart") == 0 // nothing is shared
	for n := range rapid.IntRange(0, 12).Draw(t, "repositories") {
		image := d.repository(fmt.Sprintf("repository-%02d", n))
		if rapid.IntRange(0, 3).Draw(t, "far") == 0 {
			image.Target.Repository.Location = "europe"
		}
		if rapid.Bool().Draw(t, "replicated") {
			image.Sources = append(image.Sources, ref.Registry{Account: "210987654321", Region: "eu-west-1"}.Repository(image.Sources[0].Name))
		}
		var held []digest.Digest
		for v := range rapid.IntRange(0, 12).Draw(t, "images") {
			m := document.PlannedManifest{Digest: digest.FromString(fmt.Sprint(n, v)), Size: 100}
			for range rapid.IntRange(0, 4).Draw(t, "blobs") {
				b := rapid.IntRange(0, 40).Draw(t, "blob")
				name := fmt.Sprint("blob", b)
				if apart {
					name = fmt.Sprint("blob", b, " of ", n)
				}
				if at := d.blob(name, int64(b*b*b)*1000); !slices.Contains(m.Blobs, at) {
					m.Blobs = append(m.Blobs, at)
				}
			}
			var tags []string
			if len(held) > 0 {
				other := rapid.SampledFrom(held).Draw(t, "other")
				switch rapid.IntRange(0, 5).Draw(t, "relation") {
				case 0:
					m.Subject = other
				case 1:
					m.Children = []digest.Digest{other}
				case 2:
					tags = []string{"sha256-" + other.Encoded() + ".sig"}
				}
			}
			d.manifest(m, append(tags, fmt.Sprint("v", v))...)
			i := &d.plan.Images[len(d.plan.Images)-1]
			i.References[len(i.References)-1].Source = rapid.IntRange(0, len(i.Sources)-1).Draw(t, "source")
			held = append(held, m.Digest)
		}
	}
	return d.plan
}

// shuffled is p with everything that it lists in another order.
func shuffled(p document.Plan, r *rand.Rand) document.Plan {
	out := p
	position := r.Perm(len(p.Blobs))
	out.Blobs = make([]document.PlannedBlob, len(p.Blobs))
	for n, at := range position {
		out.Blobs[at] = p.Blobs[n]
	}
	out.Manifests = slices.Clone(p.Manifests)
	for n := range out.Manifests {
		m := &out.Manifests[n]
		m.Blobs = slices.Clone(m.Blobs)
		for k := range m.Blobs {
			m.Blobs[k] = position[m.Blobs[k]]
		}
		r.Shuffle(len(m.Blobs), func(a, b int) { m.Blobs[a], m.Blobs[b] = m.Blobs[b], m.Blobs[a] })
	}
	r.Shuffle(len(out.Manifests), func(a, b int) { out.Manifests[a], out.Manifests[b] = out.Manifests[b], out.Manifests[a] })
	out.Images = slices.Clone(p.Images)
	for n := range out.Images {
		refs := slices.Clone(out.Images[n].References)
		r.Shuffle(len(refs), func(a, b int) { refs[a], refs[b] = refs[b], refs[a] })
		out.Images[n].References = refs
	}
	r.Shuffle(len(out.Images), func(a, b int) { out.Images[a], out.Images[b] = out.Images[b], out.Images[a] })
	return out
}

// each calls f for each image of a plan at its image path.
func each(p document.Plan, f func(image *document.PlannedImage, r document.PlannedReference, source ref.Repository)) {
	for n := range p.Images {
		for k, r := range p.Images[n].References {
			f(&p.Images[n], r, sourceOf(&p.Images[n], k))
		}
	}
}

// Every image is in exactly one shard, with its children, its subject and what its tags say that it describes; and the
// loads are what the shards really have.
func TestTheCutCoversOnce(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		p := drawPlan(t)
		count := rapid.IntRange(1, 40).Draw(t, "count")
		c := Make(p, count)
		manifests := map[digest.Digest]document.PlannedManifest{}
		for _, m := range p.Manifests {
			manifests[m.Digest] = m
		}
		want := make([]Load, count)
		read := map[string]bool{}
		for n := range p.Images {
			image := &p.Images[n]
			shards := map[digest.Digest]int{}
			for k, r := range image.References {
				s := c.Of(sourceOf(image, k), r.Digest)
				if s < 0 || s >= count {
					t.Fatalf("%s of %s is in shard %d of %d", r.Digest, image.Target, s, count)
				}
				shards[r.Digest] = s
				want[s].References++
				for _, b := range manifests[r.Digest].Blobs {
					if key := fmt.Sprint(s, image.Target.Repository.Host(), b); !read[key] {
						read[key] = true
						want[s].Bytes += p.Blobs[b].Size
					}
				}
			}
			for _, r := range image.References {
				together := append(slices.Clone(manifests[r.Digest].Children), manifests[r.Digest].Subject)
				for _, tag := range r.Tags {
					if subject, ok := registry.SubjectOfTag(tag); ok {
						together = append(together, subject)
					}
				}
				for _, d := range together {
					if s, ok := shards[d]; ok && s != shards[r.Digest] {
						t.Fatalf("%s is in shard %d, and %s, which belongs to it, in %d", r.Digest, shards[r.Digest], d, s)
					}
				}
			}
		}
		if !slices.Equal(c.Loads(), want) {
			t.Fatalf("the loads are %v, not %v", want, c.Loads())
		}
		if c.Of(virginia.Repository("none"), digest.FromString("none")) != -1 {
			t.Fatal("what is not in the plan has a shard")
		}
	})
}

// The cut does not depend on the order in which the plan lists things, nor on what the target held.
func TestTheCutIsDeterministic(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		p := drawPlan(t)
		count := rapid.IntRange(1, 40).Draw(t, "count")
		o := shuffled(p, rand.New(rand.NewPCG(rapid.Uint64().Draw(t, "seed"), 0)))
		o.Difference.CopyBytes = 7
		a, b := Make(p, count), Make(o, count)
		if a.Plan() != b.Plan() {
			t.Fatal("the digests of the plans differ")
		}
		each(p, func(image *document.PlannedImage, r document.PlannedReference, source ref.Repository) {
			if one, two := a.Of(source, r.Digest), b.Of(source, r.Digest); one != two {
				t.Fatalf("%s of %s is in shard %d, or in %d", r.Digest, image.Target, one, two)
			}
		})
	})
}

// What shares nothing is dealt evenly: no shard has more than a tenth more than the average and one thing that cannot be
// cut. What shares something grows by less than a tenth up to 16 shards, whatever it costs in evenness.
func TestTheCutIsBalanced(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		p := drawPlan(t)
		count := rapid.IntRange(1, 16).Draw(t, "count")
		i := newItems(p, count)
		d := dealt(i, count)
		average := d.loads.sum / int64(count)
		if most := d.loads.heaviest(); len(i.sizes) == 0 && most > average*11/10+i.heaviest {
			t.Fatalf("the heaviest of %d weighs %d, the average is %d and the largest item %d", count, most, average, i.heaviest)
		}
		if bytes := i.total - i.references; d.loads.sum-i.total > bytes/10 {
			t.Fatalf("%d bytes grow by %d with %d shards", bytes, d.loads.sum-i.total, count)
		}
	})
}

// Two plans that want other things have other digests.
func TestDigest(t *testing.T) {
	p := estate{repositories: 3, images: 9, bases: 1, rebases: 1, teams: 1, platforms: 1}.plan(1)
	moved := p
	moved.Images = slices.Clone(p.Images)
	moved.Images[0].References = slices.Clone(p.Images[0].References)
	moved.Images[0].References[0].Tags = []string{"other"}
	if Digest(p) == Digest(moved) {
		t.Error("a tag does not count")
	}
}

// Repositories that share all that is large go together: five pairs to five shards.
func TestWhatSharesGoesTogether(t *testing.T) {
	d := newDrawing()
	for n := range 10 {
		d.repository(fmt.Sprint("repository-", n))
		d.manifest(document.PlannedManifest{Digest: digest.FromString(fmt.Sprint(n)), Blobs: []int{
			d.blob(fmt.Sprint("base ", n%5), 100*mib), d.blob(fmt.Sprint("own ", n), 20*mib),
		}}, "latest")
	}
	c := Make(d.plan, 5)
	if g := c.Growth(); g != 1 {
		t.Errorf("the bytes grow to %.2f", g)
	}
	for n := range 5 {
		one := c.Of(virginia.Repository(fmt.Sprint("repository-", n)), digest.FromString(fmt.Sprint(n)))
		two := c.Of(virginia.Repository(fmt.Sprint("repository-", n+5)), digest.FromString(fmt.Sprint(n+5)))
		if one != two {
			t.Errorf("the repositories of base %d are in shards %d and %d", n, one, two)
		}
	}
}

// TestGrowth holds what is read with 16 shards below a tenth more than with one, on made-up registries such as companies
// have: see estate. Nothing that one shard might find of another's counts.
func TestGrowth(t *testing.T) {
	for name, e := range map[string]estate{
		"40 repositories of 6 teams":      {repositories: 40, images: 400, bases: 5, rebases: 2, teams: 6, platforms: 1},
		"500 repositories of 30 teams":    {repositories: 500, images: 10_000, bases: 20, rebases: 6, teams: 30, platforms: 1},
		"300 repositories, two platforms": {repositories: 300, images: 3_000, bases: 20, rebases: 6, teams: 30, platforms: 2},
		"5 repositories of 400 images":    {repositories: 5, images: 2_000, bases: 2, rebases: 12, teams: 2, platforms: 1},
		"one base for all":                {repositories: 500, images: 10_000, bases: 1, rebases: 12, teams: 50, platforms: 1},
		"one repository":                  {repositories: 1, images: 10_000, bases: 1, rebases: 12, teams: 1, platforms: 1},
		"any base in any team":            {repositories: 500, images: 10_000, bases: 20, rebases: 6, teams: 30, platforms: 1, loose: true},
	} {
		t.Run(name, func(t *testing.T) {
			p := e.plan(1)
			c := Make(p, 16)
			t.Logf("%d images of %.0f GB grow to %.3f, the heaviest has %.2f shares", c.total.References, float64(c.total.Bytes)/1e9, c.Growth(), c.heaviest())
			if c.Growth() >= 1.1 {
				t.Errorf("the bytes grow to %.3f", c.Growth())
			}
		})
	}
}

// heaviest is how many shares, of what all would read without growth, the heaviest shard reads.
func (c *Cut) heaviest() float64 {
	most := slices.MaxFunc(c.loads, func(a, b Load) int { return cmp.Compare(a.Bytes, b.Bytes) })
	return float64(most.Bytes) * float64(c.count) / float64(c.total.Bytes)
}

// BenchmarkMake cuts plans of the largest kind, and says by how much what is read grows.
func BenchmarkMake(b *testing.B) {
	for name, e := range map[string]estate{
		"120 teams":            {repositories: 5000, images: 100_000, bases: 60, rebases: 12, teams: 120, platforms: 1},
		"two platforms":        {repositories: 2500, images: 50_000, bases: 60, rebases: 12, teams: 120, platforms: 2},
		"any base in any team": {repositories: 5000, images: 100_000, bases: 60, rebases: 12, teams: 120, platforms: 1, loose: true},
		"one repository":       {repositories: 1, images: 60_000, bases: 1, rebases: 12, teams: 1, platforms: 1},
	} {
		p := e.plan(1)
		for _, count := range []int{1, 16, 64, 1000} {
			b.Run(fmt.Sprintf("%s/%d shards", name, count), func(b *testing.B) {
				var c *Cut
				for b.Loop() {
					c = Make(p, count)
				}
				b.ReportMetric(c.Growth(), "growth")
				b.ReportMetric(c.heaviest(), "shares")
			})
		}
	}
}

// A plan that somebody damaged is cut without harm.
func TestDamagedPlans(t *testing.T) {
	p := estate{repositories: 4, images: 40, bases: 1, rebases: 1, teams: 1, platforms: 2}.plan(1)
	p.Manifests[0].Blobs = []int{-1, 1 << 40}
	p.Manifests[1].Children = []digest.Digest{p.Manifests[1].Digest}
	p.Manifests = p.Manifests[:len(p.Manifests)-1]
	p.Blobs[0].Size = -1
	p.Images[0].References[0].Source = 7
	p.Images[1].References = nil
	Make(p, 3)
	Make(document.Plan{}, 3)
}

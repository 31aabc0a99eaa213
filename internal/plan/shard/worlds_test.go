package shard

import (
	"fmt"
	"math/rand/v2"

	"github.com/opencontainers/go-digest"

	"transship/internal/document"
	"transship/internal/ref"
)

var virginia = ref.Registry{Account: "123456789012", Region: "us-east-1"}

func target(path string) ref.TargetImage {
	return ref.TargetImage{Repository: ref.TargetRepository{Location: "us", Project: "my-project", ID: "app-images"}, Path: path}
}

// drawing is a plan under construction.
type drawing struct {
	plan  document.Plan
	blobs map[digest.Digest]int
	known map[digest.Digest]bool
}

func newDrawing() *drawing {
	return &drawing{blobs: map[digest.Digest]int{}, known: map[digest.Digest]bool{}}
}

// blob is the position of the blob called name.
func (d *drawing) blob(name string, size int64) int {
	g := digest.FromString(name)
	n, ok := d.blobs[g]
	if !ok {
		n = len(d.plan.Blobs)
		d.blobs[g] = n
		d.plan.Blobs = append(d.plan.Blobs, document.PlannedBlob{Digest: g, Size: size})
	}
	return n
}

// repository adds an image path.
func (d *drawing) repository(name string) *document.PlannedImage {
	d.plan.Images = append(d.plan.Images, document.PlannedImage{Target: target(name), Sources: []ref.Repository{virginia.Repository(name)}})
	return &d.plan.Images[len(d.plan.Images)-1]
}

// manifest adds an image to the last path.
func (d *drawing) manifest(m document.PlannedManifest, tags ...string) {
	i := &d.plan.Images[len(d.plan.Images)-1]
	i.References = append(i.References, document.PlannedReference{Digest: m.Digest, Tags: tags})
	if !d.known[m.Digest] {
		d.known[m.Digest] = true
		d.plan.Manifests = append(d.plan.Manifests, m)
	}
}

// estate is a made-up registry as companies have them.
type estate struct {
	repositories, images int
	bases                int // families of base images, from which each repository builds
	rebases              int // how often each base was rebuilt while the images were
	teams                int // repositories of one team share a layer of tools
	platforms            int
	loose                bool // teams have no favourite base
}

// sizes in bytes
const mib = 1 << 20

// plan draws the estate. Sizes are lognormal-like: a few large ones among many small.
func (e estate) plan(seed uint64) document.Plan {
	r := rand.New(rand.NewPCG(seed, 1))
	d := newDrawing()
	size := func(least, most int64) int64 { // small ones are likelier
		f := r.Float64()
		return least + int64(float64(most-least)*f*f*f)
	}
	sizes := map[string]int64{}
	layer := func(name string, least, most int64) int {
		if _, ok := sizes[name]; !ok {
			sizes[name] = size(least, most)
		}
		return d.blob(name, sizes[name])
	}
	for n := range e.repositories {
		name := fmt.Sprintf("team-%03d/service-%05d", n%e.teams, n)
		d.repository(name)
		base := int(float64(e.bases) * r.Float64() * r.Float64()) // some are much more popular
		if !e.loose && r.Float64() < 0.8 {                        // most of a team's services build from the same
			f := rand.New(rand.NewPCG(uint64(n%e.teams), 9))
			base = int(float64(e.bases) * f.Float64() * f.Float64())
		}
		many := 1 + int(float64(e.images/e.repositories-1)*2*r.Float64())
		for v := range many {
			age := v * e.rebases / many
			var children []digest.Digest
			for p := range e.platforms {
				blobs := []int{
					layer(fmt.Sprintf("os %d %d %d", base%3, age, p), 25*mib, 80*mib), // the distribution
					layer(fmt.Sprintf("base %d %d %d", base, age, p), 20*mib, 250*mib),
					layer(fmt.Sprintf("tools %d %d %d", n%e.teams, age/2, p), 1*mib, 60*mib),
					layer(fmt.Sprintf("dependencies %s %d %d", name, v/4, p), 5*mib, 150*mib), // which change now and then
					layer(fmt.Sprintf("code %s %d %d", name, v, p), 1*mib, 30*mib),
					layer(fmt.Sprintf("config %s %d %d", name, v, p), 2<<10, 8<<10),
				}
				m := document.PlannedManifest{Digest: digest.FromString(fmt.Sprintf("%s %d %d", name, v, p)), Size: 2000, Blobs: blobs}
				children = append(children, m.Digest)
				if e.platforms == 1 {
					d.manifest(m, fmt.Sprint("v", v))
				} else {
					d.manifest(m)
				}
			}
			if e.platforms > 1 {
				d.manifest(document.PlannedManifest{Digest: digest.FromString(fmt.Sprintf("%s %d", name, v)), Size: 700, Children: children}, fmt.Sprint("v", v))
			}
		}
	}
	return d.plan
}

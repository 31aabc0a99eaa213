package need

import (
	"slices"
	"strings"

	"github.com/opencontainers/go-digest"

	"transship/bench/limit"
	"transship/internal/cloudsim/corpus"
)

// Sides are where a corpus is and where it shall go.
type Sides struct {
	Source string // ACCOUNT.dkr.ecr.REGION.amazonaws.com
	Target string // LOCATION-docker.pkg.dev/PROJECT/REPOSITORY
}

// Plan tells the bare minimum client all that there is to know about a corpus: it need not find out anything.
func Plan(c *corpus.Corpus, sides Sides) (limit.Plan, error) {
	host, path, _ := strings.Cut(sides.Target, "/")
	p := limit.Plan{Source: sides.Source, TargetHost: host, TargetPath: path}
	places := map[digest.Digest][]int{}
	var order []digest.Digest
	for i, repo := range c.Repositories {
		p.Repositories = append(p.Repositories, limit.Repository{Name: repo.Name, Pages: pages(len(repo.Images))})
		at := map[digest.Digest]int{} // the manifest's position in the plan
		for _, img := range repo.Images {
			if img.Archived {
				continue
			}
			parsed, err := parse(img)
			if err != nil {
				return p, err
			}
			m := limit.Manifest{
				Repository: i, MediaType: img.MediaType, Body: img.Manifest, References: img.Tags,
			}
			if len(img.Tags) == 0 {
				m.References = []string{img.Digest.String()}
			}
			m.Blobs = parsed.blobs()
			for _, child := range parsed.Manifests {
				if n, ok := at[child.Digest]; ok { // what is not here, nobody can write first
					m.Children = append(m.Children, n)
				}
			}
			for _, d := range m.Blobs {
				if places[d] == nil {
					order = append(order, d)
				}
				if !slices.Contains(places[d], i) {
					places[d] = append(places[d], i)
				}
			}
			at[img.Digest] = len(p.Manifests)
			p.Manifests = append(p.Manifests, m)
		}
	}
	for _, d := range order {
		p.Blobs = append(p.Blobs, limit.Blob{Digest: d, Places: places[d]})
	}
	return p, nil
}

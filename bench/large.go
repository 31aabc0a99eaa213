package main

import (
	"context"
	"encoding/json"
	"fmt"
	"io"

	"github.com/opencontainers/go-digest"
	"github.com/opencontainers/image-spec/specs-go"
	ocispec "github.com/opencontainers/image-spec/specs-go/v1"

	"transship/bench/report"
	"transship/bench/world"
	"transship/internal/cloudsim/corpus"
	"transship/internal/cloudsim/store"
)

// What one large layer promises.
const (
	connectionBytes = 20_000_000 // a second, of each connection to the source
	leastSpeed      = 4
	largeSeed       = 7
)

// large copies one image of one layer that a single connection takes long for.
func (b *bench) large(ctx context.Context, s *report.Section) error {
	bytes := int64(1_000_000_000)
	if b.quick {
		bytes = 64_000_000
	}
	single := float64(bytes) / connectionBytes
	s.About = fmt.Sprintf("One image with one layer of %s MB, from a source that gives each connection %d MB a second: a single stream would take %.1f s.",
		number(int(bytes/1e6)), connectionBytes/1_000_000, single)
	c, layer, err := largeCorpus(bytes)
	if err != nil {
		return err
	}
	r, err := b.once(ctx, b.transship("transship, one large layer", coldVerbs()), c, world.Options{
		Forget: 1 << 20, SourceBandwidth: connectionBytes, Large: layer,
	})
	if err != nil {
		return err
	}
	table := s.Table("", "tool", "wall", "speed", "CPU", "requests to S3", "read from ECR", "peak memory")
	read := r.counts.Tally("s3.get")
	table.Row("**Transship**", fmt.Sprintf("%.1f s", wall(r)), fmt.Sprintf("%.1f × a single stream", single/wall(r)), fmt.Sprintf("%.1f s", cpu(r)),
		number(read.Requests), fmt.Sprintf("%.2f ×", float64(read.Sent)/float64(bytes)), fmt.Sprintf("%.0f MB", rss(r)))
	s.AtLeast("speed ÷ single stream", "%.1f", single/wall(r), leastSpeed)
	s.Is("arrived", arrivals(series{r}), "everything")
	return nil
}

// largeCorpus is one image whose layer is not in memory.
func largeCorpus(bytes int64) (*corpus.Corpus, map[digest.Digest]store.Blob, error) {
	blob := store.Generated(largeSeed, bytes)
	d, err := digest.SHA256.FromReader(io.NewSectionReader(blob, 0, bytes))
	if err != nil {
		return nil, nil, err
	}
	layer := ocispec.Descriptor{MediaType: ocispec.MediaTypeImageLayerGzip, Digest: d, Size: bytes}
	config, err := json.Marshal(ocispec.Image{
		Platform: ocispec.Platform{OS: "linux", Architecture: "amd64"}, RootFS: ocispec.RootFS{Type: "layers", DiffIDs: []digest.Digest{d}},
	})
	if err != nil {
		return nil, nil, err
	}
	configBlob := ocispec.Descriptor{MediaType: ocispec.MediaTypeImageConfig, Digest: digest.FromBytes(config), Size: int64(len(config))}
	manifest, err := json.Marshal(ocispec.Manifest{
		Versioned: specs.Versioned{SchemaVersion: 2}, MediaType: ocispec.MediaTypeImageManifest, Config: configBlob, Layers: []ocispec.Descriptor{layer},
	})
	if err != nil {
		return nil, nil, err
	}
	img := corpus.Image{
		Digest: digest.FromBytes(manifest), MediaType: ocispec.MediaTypeImageManifest, Manifest: manifest, Tags: []string{"large"},
		ArtifactType: ocispec.MediaTypeImageConfig, Size: bytes + configBlob.Size,
	}
	c := &corpus.Corpus{
		Repositories: []corpus.Repository{{Name: "ml/weights", Images: []corpus.Image{img}, Blobs: []digest.Digest{d, configBlob.Digest}}},
		Blobs:        map[digest.Digest][]byte{configBlob.Digest: config},
	}
	return c, map[digest.Digest]store.Blob{d: blob}, nil
}

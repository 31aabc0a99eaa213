package cli

import (
	"fmt"
	"strings"

	"github.com/opencontainers/go-digest"
	ocispec "github.com/opencontainers/image-spec/specs-go/v1"

	"transship/internal/cloudsim/ecrsim"
	"transship/internal/cloudsim/store"
)

// hostile fills ECR with what only malice makes: names that lead elsewhere or move a cursor, indexes within indexes, too
// many layers, sizes and digests of no sort.
func (w *world) hostile([]string) error {
	registry := w.registry()
	for _, name := range []string{"../../escape", "evil\x1b[2J\x1b]0;title\a", "Evil", "evil//twice", "evil\u202eback", strings.Repeat("x", 300), "evil/../other"} {
		registry.CreateRepository(name, ecrsim.RepositorySettings{})
	}
	put := func(repo, mediaType, body string, tags ...string) digest.Digest {
		r := registry.CreateRepository(repo, ecrsim.RepositorySettings{})
		d := digest.FromString(body)
		r.Content.PutManifest(store.Manifest{Digest: d, MediaType: mediaType, Bytes: []byte(body)})
		for _, tag := range tags {
			r.Content.Tag(tag, d)
		}
		return d
	}
	image := func(rest string) string {
		return fmt.Sprintf(`{"schemaVersion":2,"mediaType":%q,%s}`, ocispec.MediaTypeImageManifest, rest)
	}
	some := digest.FromString("some").String()
	nested := put("evil/nested", ocispec.MediaTypeImageManifest, image(`"layers":[]`))
	for range 1000 {
		nested = put("evil/nested", ocispec.MediaTypeImageIndex, fmt.Sprintf(
			`{"schemaVersion":2,"mediaType":%q,"manifests":[{"mediaType":%q,"digest":%q,"size":1}]}`, ocispec.MediaTypeImageIndex, ocispec.MediaTypeImageIndex, nested))
	}
	registry.Repository("evil/nested").Content.Tag("deep", nested)
	put("evil/layers", ocispec.MediaTypeImageManifest, image(`"layers":[`+strings.Repeat("{},", 1_000_000)+`{}]`), "many")
	put("evil/sizes", ocispec.MediaTypeImageManifest, image(`"layers":[{"digest":"`+some+`","size":-5}]`), "negative")
	put("evil/sizes", ocispec.MediaTypeImageManifest, image(`"layers":[{"digest":"`+some+`","size":9223372036854775807}]`), "huge")
	put("evil/digests", ocispec.MediaTypeImageManifest, image(`"layers":[{"digest":"md5:d41d8cd98f00b204e9800998ecf8427e","size":1}]`), "md5")
	put("evil/digests", ocispec.MediaTypeImageManifest, image(`"config":{"digest":"../../x\u001b[2J","size":1}`), "path")
	for _, tag := range []string{"v\x1b[2J", "../../x", "a?b", "\u009b2J", "v\u202e1"} {
		registry.Repository("flat/app-0000").Content.Tag(tag, registry.Repository("flat/app-0000").Content.Manifests()[0].Digest)
	}
	return nil
}

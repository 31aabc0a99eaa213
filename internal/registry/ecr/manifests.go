package ecr

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	api "github.com/aws/aws-sdk-go-v2/service/ecr"
	"github.com/aws/aws-sdk-go-v2/service/ecr/types"
	"github.com/aws/smithy-go"
	ocispec "github.com/opencontainers/image-spec/specs-go/v1"

	"github.com/opencontainers/go-digest"

	"transship/internal/ref"
	"transship/internal/registry"
	"transship/internal/registry/secret"
)

// ManifestsPerCall is how many manifests one request reads at most. FACTS A1 [S].
const ManifestsPerCall = 100

// acceptLists are the media types to ask for, the fullest list first. FACTS A1 [U]: whether indexes may be listed is not
// confirmed, so there is a list without them, and none at all.
func acceptLists() [][]string {
	schema1 := []string{registry.MediaTypeDockerSigned1, registry.MediaTypeDockerSchema1}
	return [][]string{
		append(registry.ManifestMediaTypes(), schema1...),
		append([]string{ocispec.MediaTypeImageManifest, registry.MediaTypeDockerManifest}, schema1...),
		nil,
	}
}

// Manifests reads the manifests of ds from repo: 1 request a 100. Every manifest in found has the bytes of its digest.
// What could not be read is in failed with the reason, of class NotFound, Corrupt and so on, and every element of ds is
// either found or failed. An error ends the call before its end: it concerns all that is in neither.
func (r *Registry) Manifests(ctx context.Context, repo ref.Repository, ds []digest.Digest) (found []registry.Manifest, failed map[digest.Digest]error, err error) {
	c := call{op: "read manifests of", object: repo.String(), operation: "BatchGetImage"}
	ds = unique(ds)
	found = make([]registry.Manifest, 0, len(ds))
	failed = map[digest.Digest]error{}
	for chunk := range slices.Chunk(ds, ManifestsPerCall) {
		out, err := r.batchGetImage(ctx, repo, chunk)
		if err != nil {
			return found, failed, r.fail(ctx, c, err)
		}
		found = r.divide(repo, chunk, out, found, failed)
	}
	return found, failed, nil
}

func unique(ds []digest.Digest) []digest.Digest {
	seen := make(map[digest.Digest]bool, len(ds))
	out := make([]digest.Digest, 0, len(ds))
	for _, d := range ds {
		if !seen[d] {
			seen[d] = true
			out = append(out, d)
		}
	}
	return out
}

// batchGetImage asks for one chunk. Where ECR refuses the list of media types, it asks again with a shorter one, and
// every later call begins with that.
func (r *Registry) batchGetImage(ctx context.Context, repo ref.Repository, chunk []digest.Digest) (*api.BatchGetImageOutput, error) {
	in := &api.BatchGetImageInput{RegistryId: r.account(), RepositoryName: aws.String(repo.Name)}
	for _, d := range chunk {
		in.ImageIds = append(in.ImageIds, types.ImageIdentifier{ImageDigest: aws.String(d.String())})
	}
	lists := acceptLists()
	for {
		i := r.accept.Load()
		in.AcceptedMediaTypes = lists[i]
		out, err := r.api.BatchGetImage(ctx, in)
		if err == nil || !refusesMediaTypes(err) || int(i) == len(lists)-1 {
			return out, err
		}
		if r.accept.CompareAndSwap(i, i+1) {
			r.log.Debug("ECR refused the accepted media types; asking with fewer", "registry", r.name.Host(), "types", len(lists[i+1]))
		}
	}
}

func refusesMediaTypes(err error) bool {
	e, ok := errors.AsType[smithy.APIError](err)
	if !ok || (e.ErrorCode() != "InvalidParameterException" && e.ErrorCode() != "ValidationException") {
		return false
	}
	text := strings.ToLower(strings.ReplaceAll(e.ErrorMessage(), " ", ""))
	return strings.Contains(text, "mediatype")
}

// divide appends the good manifests of out to found and puts the rest of the chunk into failed.
func (r *Registry) divide(repo ref.Repository, chunk []digest.Digest, out *api.BatchGetImageOutput, found []registry.Manifest, failed map[digest.Digest]error) []registry.Manifest {
	open := make(map[digest.Digest]bool, len(chunk))
	for _, d := range chunk {
		open[d] = true
	}
	for _, image := range out.Images {
		m, err := manifest(image)
		if !open[m.Digest] {
			continue // not asked for, or once more: ECR may repeat an image for each of its tags
		}
		delete(open, m.Digest)
		if err != nil {
			failed[m.Digest] = r.manifestError(repo, m.Digest, registry.Corrupt, "", err)
			continue
		}
		found = append(found, m)
	}
	for _, f := range out.Failures {
		if f.ImageId == nil {
			continue
		}
		d := digest.Digest(aws.ToString(f.ImageId.ImageDigest))
		if !open[d] {
			continue
		}
		delete(open, d)
		failed[d] = r.failureError(repo, d, f)
	}
	for d := range open {
		failed[d] = r.manifestError(repo, d, registry.NotFound, "", errors.New("ECR's answer does not speak of it"))
	}
	return found
}

// manifest returns what ECR says is the manifest of a digest. The digest is set even where the rest is wrong.
func manifest(in types.Image) (registry.Manifest, error) {
	var m registry.Manifest
	if in.ImageId != nil {
		m.Digest = digest.Digest(aws.ToString(in.ImageId.ImageDigest))
	}
	m.Bytes = []byte(aws.ToString(in.ImageManifest))
	m.MediaType = aws.ToString(in.ImageManifestMediaType)
	if m.MediaType == "" {
		var j struct {
			MediaType string `json:"mediaType"`
		}
		_ = json.Unmarshal(m.Bytes, &j) // what is no JSON has no media type either; whoever parses it says so
		m.MediaType = j.MediaType
	}
	return m, m.Check()
}

func (r *Registry) manifestError(repo ref.Repository, d digest.Digest, class registry.Class, hint string, err error) error {
	return &registry.Error{
		Side: registry.Source, Op: "read manifest", Object: repo.String() + "@" + d.String(), Class: class, Hint: hint, Err: err,
	}
}

// failureError says what ECR's failure code means. FACTS A1 [S] the codes; what archived images answer is not confirmed [U].
func (r *Registry) failureError(repo ref.Repository, d digest.Digest, f types.ImageFailure) error {
	class, hint := registry.Unknown, ""
	switch f.FailureCode {
	case types.ImageFailureCodeImageNotFound:
		class, hint = registry.NotFound, "it was deleted since it was listed, or it is archived"
	case types.ImageFailureCodeImageInaccessible:
		class, hint = registry.NotFound, "if it is archived, restore it first: aws ecr update-image-storage-class --target-storage-class STANDARD"
	case types.ImageFailureCodeInvalidImageDigest, types.ImageFailureCodeInvalidImageTag,
		types.ImageFailureCodeImageTagDoesNotMatchDigest, types.ImageFailureCodeMissingDigestAndTag:
		class = registry.Invalid
	case types.ImageFailureCodeKmsError:
		class, hint = registry.Denied, "check that the repository's KMS key is enabled and may be used"
	case types.ImageFailureCodeUpstreamAccessDenied:
		class, hint = registry.Denied, "the repository is a pull-through cache: check the credentials of its upstream"
	case types.ImageFailureCodeUpstreamTooManyRequests:
		class = registry.Throttled
	case types.ImageFailureCodeUpstreamUnavailable:
		class = registry.Unavailable
	}
	return r.manifestError(repo, d, class, hint, fmt.Errorf("%s: %s", secret.Clean(string(f.FailureCode)), secret.Clean(aws.ToString(f.FailureReason))))
}

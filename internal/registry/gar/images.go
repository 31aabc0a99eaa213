package gar

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"iter"
	"net/http"
	"net/url"
	"slices"
	"strings"

	"github.com/opencontainers/go-digest"
	api "google.golang.org/api/artifactregistry/v1"
	"google.golang.org/api/googleapi"

	"transship/internal/document"
	"transship/internal/ref"
	"transship/internal/registry"
)

const (
	// pageSize is the most that Artifact Registry returns on one page. FACTS B3 [S].
	pageSize = 1000
	// tagsShown is how many tags Artifact Registry shows with an image; one that shows so many may have more. FACTS B3:
	// documented of versions, assumed of dockerImages too.
	tagsShown = 100
)

// Images lists every image of r, in Artifact Registry's order: 1 request a 1,000, and at least 1 more for an image that
// has 100 tags or more. It is of class NoRepository where r does not exist.
func (c *Cloud) Images(ctx context.Context, r ref.TargetRepository) iter.Seq2[document.TargetImage, error] {
	what := call{op: "list images of", object: r.String(), repository: r, permission: "dockerimages.list"}
	return func(yield func(document.TargetImage, error) bool) {
		for item, err := range registry.Pages(errRepeatedToken, func(token string) ([]*api.DockerImage, string, error) {
			out, err := c.repositories.DockerImages.List(r.ResourceName()).PageSize(pageSize).PageToken(token).Context(ctx).Do()
			if err != nil {
				return nil, "", err
			}
			return out.DockerImages, out.NextPageToken, nil
		}) {
			var image document.TargetImage
			if err == nil {
				image, err = targetImage(r, item)
			}
			if err == nil && len(image.Tags) >= tagsShown {
				image.Tags, err = c.tagsOf(ctx, image.URI, image.Digest)
			}
			if err != nil {
				yield(document.TargetImage{}, c.fail(ctx, what, err))
				return
			}
			if !yield(image, nil) {
				return
			}
		}
	}
}

// errNull is the error of a listing with a hole in it.
var errNull = errors.New("the listing has null where something should be listed")

func targetImage(r ref.TargetRepository, in *api.DockerImage) (document.TargetImage, error) {
	if in == nil {
		return document.TargetImage{}, errNull
	}
	uri, d, err := imageName(r, in)
	if err != nil {
		return document.TargetImage{}, err
	}
	out := document.TargetImage{
		URI:          uri,
		Digest:       d,
		Tags:         append([]string{}, in.Tags...),
		Size:         in.ImageSizeBytes,
		MediaType:    in.MediaType,
		ArtifactType: in.ArtifactType,
		UploadedAt:   parseTime(in.UploadTime),
	}
	slices.Sort(out.Tags)
	return out, nil
}

// imageName returns which image it is, by its uri HOST/PROJECT/REPOSITORY/IMAGE@DIGEST, or else by its resource name.
func imageName(r ref.TargetRepository, in *api.DockerImage) (ref.TargetImage, digest.Digest, error) {
	host, path, _ := strings.Cut(in.Uri, "/")
	id := "/" + r.ID + "/"
	if host == r.ID { // the legacy hosts, such as gcr.io, are their repository's name
		id = "/"
	}
	// FACTS B1 [D]: in names of images, the colon of a domain-scoped project is a slash.
	for _, project := range []string{r.Project, strings.Replace(r.Project, ":", "/", 1)} {
		if rest, ok := strings.CutPrefix(path, project+id); ok {
			return splitImage(r, rest, in.Uri)
		}
	}
	if last, err := lastSegment(in.Name, "/dockerImages/"); err == nil {
		return splitImage(r, last, in.Name)
	}
	return ref.TargetImage{}, "", fmt.Errorf("an image is listed with the uri %q, which is not in this repository", in.Uri)
}

func splitImage(r ref.TargetRepository, s, whole string) (ref.TargetImage, digest.Digest, error) {
	path, hash, _ := strings.Cut(s, "@")
	d := digest.Digest(hash)
	if path == "" || registry.CheckDigest(d) != nil {
		return ref.TargetImage{}, "", fmt.Errorf("an image is listed as %q, which is not IMAGE@DIGEST", whole)
	}
	return r.Image(path), d, nil
}

// lastSegment returns what follows the marker in a resource name, with its escaped slashes as slashes.
func lastSegment(name, marker string) (string, error) {
	i := strings.LastIndex(name, marker)
	if i < 0 || i+len(marker) == len(name) {
		return "", fmt.Errorf("something is listed with the name %q, which holds no %s", name, marker)
	}
	s, err := url.PathUnescape(name[i+len(marker):])
	if err != nil {
		return "", fmt.Errorf("something is listed with the name %q: %w", name, err)
	}
	return s, nil
}

// packageName is the resource name of an image path. FACTS B3 [R]: its slashes are escaped, and the client library
// escapes them once more on the wire.
func packageName(image ref.TargetImage) string {
	return image.Repository.ResourceName() + "/packages/" + url.PathEscape(image.Path)
}

// tagsOf lists all tags of one image, sorted: 1 request a 1,000.
func (c *Cloud) tagsOf(ctx context.Context, image ref.TargetImage, d digest.Digest) ([]string, error) {
	version := packageName(image) + "/versions/" + d.String()
	tags := []string{}
	for item, err := range c.tags(ctx, image, fmt.Sprintf("version=%q", version)) {
		if err != nil {
			return nil, err
		}
		if item.digest == d { // also where a stand-in does not know the filter
			tags = append(tags, item.name)
		}
	}
	slices.Sort(tags)
	return tags, nil
}

// tag is a tag of a package with what it points to.
type tag struct {
	name   string
	digest digest.Digest
}

func (c *Cloud) tags(ctx context.Context, image ref.TargetImage, filter string) iter.Seq2[tag, error] {
	what := call{op: "list tags of", object: image.String(), repository: image.Repository, permission: "tags.list"}
	return func(yield func(tag, error) bool) {
		for item, err := range registry.Pages(errRepeatedToken, func(token string) ([]*api.Tag, string, error) {
			list := c.repositories.Packages.Tags.List(packageName(image)).PageSize(pageSize).PageToken(token)
			if filter != "" {
				list.Filter(filter)
			}
			out, err := list.Context(ctx).Do()
			if err != nil {
				return nil, "", err
			}
			return out.Tags, out.NextPageToken, nil
		}) {
			var t tag
			if err == nil {
				t, err = parseTag(item)
			}
			if err != nil {
				yield(tag{}, c.fail(ctx, what, err))
				return
			}
			if !yield(t, nil) {
				return
			}
		}
	}
}

func parseTag(in *api.Tag) (tag, error) {
	if in == nil {
		return tag{}, errNull
	}
	name, err := lastSegment(in.Name, "/tags/")
	if err != nil {
		return tag{}, err
	}
	version, err := lastSegment(in.Version, "/versions/")
	if err != nil {
		return tag{}, err
	}
	return tag{name: name, digest: digest.Digest(version)}, nil
}

// PackageImages lists every image at one path, in Artifact Registry's order: 1 request a 1,000 versions, and at least 1
// more for all tags where an image has 100 of them or more. It is for target repositories that are much larger than what
// is mapped into them. A path that does not exist yet has no images; whether its repository exists is for Repository to
// say.
func (c *Cloud) PackageImages(ctx context.Context, image ref.TargetImage) iter.Seq2[document.TargetImage, error] {
	what := call{op: "list versions of", object: image.String(), repository: image.Repository, permission: "versions.list"}
	return func(yield func(document.TargetImage, error) bool) {
		for item, err := range registry.Pages(errRepeatedToken, func(token string) ([]*api.Version, string, error) {
			// FULL: without it there are neither tags nor media types.
			out, err := c.repositories.Packages.Versions.List(packageName(image)).View("FULL").PageSize(pageSize).PageToken(token).Context(ctx).Do()
			if err != nil {
				return nil, "", err
			}
			return out.Versions, out.NextPageToken, nil
		}) {
			if isStatus(err, http.StatusNotFound) {
				return
			}
			var found document.TargetImage
			if err == nil {
				found, err = packageImage(image, item)
			}
			if err == nil && len(found.Tags) >= tagsShown {
				found.Tags, err = c.tagsOf(ctx, image, found.Digest)
			}
			if err != nil {
				yield(document.TargetImage{}, c.fail(ctx, what, err))
				return
			}
			if !yield(found, nil) {
				return
			}
		}
	}
}

// packageImage makes an image of a version. Its metadata are what dockerImages would say of it. FACTS B3 [S].
func packageImage(image ref.TargetImage, in *api.Version) (document.TargetImage, error) {
	if in == nil || slices.Contains(in.RelatedTags, nil) {
		return document.TargetImage{}, errNull
	}
	last, err := lastSegment(in.Name, "/versions/")
	if err != nil {
		return document.TargetImage{}, err
	}
	out := document.TargetImage{URI: image, Digest: digest.Digest(last), Tags: []string{}, UploadedAt: parseTime(in.CreateTime)}
	if err := registry.CheckDigest(out.Digest); err != nil {
		return document.TargetImage{}, fmt.Errorf("a version is listed as %q, which is not a digest: %w", last, err)
	}
	if len(in.Metadata) > 0 {
		var m struct {
			ImageSizeBytes json.Number `json:"imageSizeBytes"` // quoted or not
			MediaType      string      `json:"mediaType"`
			ArtifactType   string      `json:"artifactType"`
		}
		if err := json.Unmarshal(in.Metadata, &m); err != nil {
			return document.TargetImage{}, fmt.Errorf("the metadata of %s cannot be read: %w", out.Digest, err)
		}
		out.Size, _ = m.ImageSizeBytes.Int64() // 0 where it says nothing
		out.MediaType, out.ArtifactType = m.MediaType, m.ArtifactType
	}
	for _, t := range in.RelatedTags {
		name, err := lastSegment(t.Name, "/tags/")
		if err != nil {
			return document.TargetImage{}, err
		}
		out.Tags = append(out.Tags, name)
	}
	slices.Sort(out.Tags)
	return out, nil
}

func isStatus(err error, status int) bool {
	e, ok := errors.AsType[*googleapi.Error](err)
	return ok && e.Code == status
}

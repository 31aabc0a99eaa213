package ecrsim

import (
	"cmp"
	"fmt"
	"regexp"
	"slices"
	"strings"

	"github.com/opencontainers/go-digest"

	"transship/internal/cloudsim/store"
)

type imageID struct {
	Digest string `json:"imageDigest,omitempty"`
	Tag    string `json:"imageTag,omitempty"`
}

// String writes the identifier as ECR's error messages do.
func (i imageID) String() string {
	return fmt.Sprintf("{imageDigest:'%s', imageTag:'%s'}", cmp.Or(i.Digest, "null"), cmp.Or(i.Tag, "null"))
}

type imageFilter struct {
	TagStatus   string `json:"tagStatus"`
	ImageStatus string `json:"imageStatus"`
}

// check refuses values that are none.
func (f imageFilter) check() error {
	if tags := []string{"", "TAGGED", "UNTAGGED", "ANY"}; !slices.Contains(tags, f.TagStatus) {
		return invalidf("filter.tagStatus", "Member must satisfy enum value set: [TAGGED, UNTAGGED, ANY]")
	}
	if s := []string{"", StatusActive, StatusArchived, StatusActivating, "ANY"}; !slices.Contains(s, f.ImageStatus) {
		return invalidf("filter.imageStatus", "Member must satisfy enum value set: [ACTIVE, ARCHIVED, ACTIVATING, ANY]")
	}
	return nil
}

// status says whether an image of that status passes. Without a word about it, only active ones do. FACTS A1.
func (f imageFilter) status(status string) bool {
	return f.ImageStatus == "ANY" || cmp.Or(f.ImageStatus, StatusActive) == status
}

func (f imageFilter) tagged(tagged bool) bool {
	return f.TagStatus == "" || f.TagStatus == "ANY" || (f.TagStatus == "TAGGED") == tagged
}

type imageDetail struct {
	RegistryID             string          `json:"registryId"`
	RepositoryName         string          `json:"repositoryName"`
	ImageDigest            digest.Digest   `json:"imageDigest"`
	ImageTags              []string        `json:"imageTags,omitempty"`
	ImageSizeInBytes       int64           `json:"imageSizeInBytes"`
	ImagePushedAt          epoch           `json:"imagePushedAt"`
	ImageScanStatus        *scanStatusJSON `json:"imageScanStatus,omitempty"`
	ImageManifestMediaType string          `json:"imageManifestMediaType"`
	ArtifactMediaType      string          `json:"artifactMediaType,omitempty"`
	LastRecordedPullTime   *epoch          `json:"lastRecordedPullTime,omitempty"`
	SubjectManifestDigest  digest.Digest   `json:"subjectManifestDigest,omitempty"`
	ImageStatus            string          `json:"imageStatus"`
	LastArchivedAt         *epoch          `json:"lastArchivedAt,omitempty"`
	LastActivatedAt        *epoch          `json:"lastActivatedAt,omitempty"`
}

type scanStatusJSON struct {
	Status      string `json:"status"`
	Description string `json:"description,omitempty"`
}

func (p *Repository) detail(m store.Manifest, tags []string) imageDetail {
	parsed, state := p.parse(m), p.state(m.Digest)
	d := imageDetail{
		RegistryID:             p.registry.account,
		RepositoryName:         p.name,
		ImageDigest:            m.Digest,
		ImageTags:              tags,
		ImageSizeInBytes:       p.size(m),
		ImagePushedAt:          epoch{m.PushedAt},
		ImageManifestMediaType: m.MediaType,
		ArtifactMediaType:      parsed.artifactType(),
		LastRecordedPullTime:   optional(state.pulled),
		ImageStatus:            cmp.Or(state.status, StatusActive),
		LastArchivedAt:         optional(state.archived),
		LastActivatedAt:        optional(state.activated),
	}
	if parsed.Subject != nil {
		d.SubjectManifestDigest = parsed.Subject.Digest
	}
	if p.Settings().ScanOnPush && !isIndex(m.MediaType) {
		d.ImageScanStatus = &scanStatusJSON{"COMPLETE", "The scan was completed successfully."}
	}
	return d
}

// listed says whether the sweeps list m at all.
func (p *Repository) listed(m store.Manifest, q Quirks) bool {
	return !q.HideReferrers || p.parse(m).Subject == nil
}

type describeImagesInput struct {
	RepositoryName string      `json:"repositoryName"`
	ImageIDs       []imageID   `json:"imageIds"`
	Filter         imageFilter `json:"filter"`
	paging
}

func describeImages(c *call, in *describeImagesInput) (any, error) {
	repo, err := c.repository(in.RepositoryName)
	if err != nil {
		return nil, err
	}
	if err := in.Filter.check(); err != nil {
		return nil, err
	}
	tags := repo.Content.TagsByDigest()
	var found []store.Manifest
	var next string
	if in.ImageIDs != nil {
		found, err = repo.selectImages(in)
	} else {
		q := c.reg.Quirks()
		keep := func(m store.Manifest) bool {
			return repo.listed(m, q) && in.Filter.status(repo.Status(m.Digest)) && in.Filter.tagged(len(tags[m.Digest]) > 0)
		}
		key := func(m store.Manifest) string { return m.Digest.String() }
		found, next, err = page(repo.Content.Manifests(), in.paging, 100, 1000, key, keep, q.SparsePages)
	}
	if err != nil {
		return nil, err
	}
	out := make([]imageDetail, 0, len(found))
	for _, m := range found {
		out = append(out, repo.detail(m, tags[m.Digest]))
	}
	return struct {
		ImageDetails []imageDetail `json:"imageDetails"`
		NextToken    string        `json:"nextToken,omitempty"`
	}{out, next}, nil
}

func (p *Repository) selectImages(in *describeImagesInput) ([]store.Manifest, error) {
	if in.NextToken != "" || in.MaxResults != nil {
		return nil, failf("InvalidParameterException",
			"Invalid parameter: maxResults and nextToken cannot be used together with imageIds")
	}
	if err := checkIDs(in.ImageIDs); err != nil {
		return nil, err
	}
	var out []store.Manifest
	seen := map[digest.Digest]bool{}
	for _, id := range in.ImageIDs {
		m, failure := p.find(id)
		if failure != nil || !in.Filter.status(p.Status(m.Digest)) {
			return nil, p.noImage(id)
		}
		if !seen[m.Digest] {
			seen[m.Digest] = true
			out = append(out, m)
		}
	}
	return out, nil
}

func (p *Repository) noImage(id imageID) *apiError {
	return failf("ImageNotFoundException",
		"The image with imageId %s does not exist within the repository with name '%s' in the registry with id '%s'",
		id, p.name, p.registry.account)
}

func checkIDs(ids []imageID) error {
	switch {
	case len(ids) == 0:
		return invalidf("imageIds", "Member must have length greater than or equal to 1")
	case len(ids) > 100:
		return invalidf("imageIds", "Member must have length less than or equal to 100")
	}
	return nil
}

// imageFailure is an entry of failures[] of the batch operations.
type imageFailure struct {
	ImageID imageID `json:"imageId"`
	Code    string  `json:"failureCode"`
	Reason  string  `json:"failureReason"`
}

const (
	digestPattern = `[a-zA-Z0-9-_+.]+:[a-fA-F0-9]+`
	notFoundText  = "Requested image not found"
)

var digestForm = regexp.MustCompile("^" + digestPattern + "$")

// find returns the image that id names, whatever its status, or why there is none.
func (p *Repository) find(id imageID) (store.Manifest, *imageFailure) {
	fail := func(code, reason string) (store.Manifest, *imageFailure) {
		return store.Manifest{}, &imageFailure{id, code, reason}
	}
	if id.Digest == "" && id.Tag == "" {
		return fail("MissingDigestAndTag", "Invalid request parameters: both tag and digest cannot be null")
	}
	if id.Digest != "" && !digestForm.MatchString(id.Digest) {
		return fail("InvalidImageDigest",
			"Invalid request parameters: image digest should satisfy the regex '"+digestPattern+"'")
	}
	if len(id.Tag) > 300 || strings.ContainsAny(id.Tag, "/:@ ") {
		return fail("InvalidImageTag", "Invalid request parameters: image tag is invalid")
	}
	d := digest.Digest(id.Digest)
	if id.Tag != "" {
		tagged, ok := p.Content.TagDigest(id.Tag)
		switch {
		case !ok:
			return fail("ImageNotFound", notFoundText)
		case d != "" && d != tagged:
			return fail("ImageTagDoesNotMatchDigest", "Requested image tag does not match the requested image digest")
		}
		d = tagged
	}
	m, ok := p.Content.Manifest(d)
	if !ok {
		return fail("ImageNotFound", notFoundText)
	}
	return m, nil
}

type listImagesInput struct {
	RepositoryName string      `json:"repositoryName"`
	Filter         imageFilter `json:"filter"`
	paging
}

// listImages has one entry for each tag, and one without a tag for each untagged image.
func listImages(c *call, in *listImagesInput) (any, error) {
	repo, err := c.repository(in.RepositoryName)
	if err != nil {
		return nil, err
	}
	if err := in.Filter.check(); err != nil {
		return nil, err
	}
	q, tags := c.reg.Quirks(), repo.Content.TagsByDigest()
	var all []imageID
	for _, m := range repo.Content.Manifests() {
		if !repo.listed(m, q) {
			continue
		}
		for _, tag := range tags[m.Digest] {
			all = append(all, imageID{m.Digest.String(), tag})
		}
		if len(tags[m.Digest]) == 0 {
			all = append(all, imageID{m.Digest.String(), ""})
		}
	}
	key := func(i imageID) string { return i.Digest + " " + i.Tag }
	keep := func(i imageID) bool {
		return in.Filter.status(repo.Status(digest.Digest(i.Digest))) && in.Filter.tagged(i.Tag != "")
	}
	ids, next, err := page(all, in.paging, 100, 1000, key, keep, q.SparsePages)
	if err != nil {
		return nil, err
	}
	return struct {
		ImageIDs  []imageID `json:"imageIds"`
		NextToken string    `json:"nextToken,omitempty"`
	}{ids, next}, nil
}

type referrersInput struct {
	RepositoryName string `json:"repositoryName"`
	SubjectID      struct {
		Digest string `json:"imageDigest"`
	} `json:"subjectId"`
	Filter struct {
		ArtifactTypes  []string `json:"artifactTypes"`
		ArtifactStatus string   `json:"artifactStatus"`
	} `json:"filter"`
	paging
}

type referrerJSON struct {
	Digest         digest.Digest     `json:"digest"`
	MediaType      string            `json:"mediaType"`
	ArtifactType   string            `json:"artifactType,omitempty"`
	Size           int64             `json:"size"`
	Annotations    map[string]string `json:"annotations,omitempty"`
	ArtifactStatus string            `json:"artifactStatus"`
}

func listImageReferrers(c *call, in *referrersInput) (any, error) {
	repo, err := c.repository(in.RepositoryName)
	if err != nil {
		return nil, err
	}
	status := imageFilter{ImageStatus: in.Filter.ArtifactStatus}
	if err := status.check(); err != nil {
		return nil, err
	}
	if in.SubjectID.Digest == "" {
		return nil, invalidf("subjectId.imageDigest", "Member must not be null")
	}
	if len(in.Filter.ArtifactTypes) > 5 {
		return nil, invalidf("filter.artifactTypes", "Member must have length less than or equal to 5")
	}
	keep := func(m referrerJSON) bool {
		return status.status(m.ArtifactStatus) &&
			(len(in.Filter.ArtifactTypes) == 0 || slices.Contains(in.Filter.ArtifactTypes, m.ArtifactType))
	}
	key := func(m referrerJSON) string { return m.Digest.String() }
	all := repo.referrers(digest.Digest(in.SubjectID.Digest))
	out, next, err := page(all, in.paging, 20, 50, key, keep, c.reg.Quirks().SparsePages)
	if err != nil {
		return nil, err
	}
	return struct {
		Referrers []referrerJSON `json:"referrers"`
		NextToken string         `json:"nextToken,omitempty"`
	}{out, next}, nil
}

// referrers returns the images whose subject is d, sorted by digest.
func (p *Repository) referrers(d digest.Digest) []referrerJSON {
	var out []referrerJSON
	for _, m := range p.Content.Manifests() {
		parsed := p.parse(m)
		if parsed.Subject == nil || parsed.Subject.Digest != d {
			continue
		}
		out = append(out, referrerJSON{
			Digest: m.Digest, MediaType: m.MediaType, ArtifactType: parsed.artifactType(),
			Size: int64(len(m.Bytes)), Annotations: parsed.Annotations, ArtifactStatus: p.Status(m.Digest),
		})
	}
	return out
}

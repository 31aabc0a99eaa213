package document

import (
	"github.com/opencontainers/go-digest"

	"transship/internal/ref"
)

// Plan is the desired state of the target. It holds the content graph too, so that whoever copies needs nothing else.
type Plan struct {
	Header
	Scope        Scope               `json:"scope"`
	Repositories []PlannedRepository `json:"repositories"` // sorted by uri
	Images       []PlannedImage      `json:"images"`       // sorted by target
	Manifests    []PlannedManifest   `json:"manifests"`    // every manifest that Images needs, sorted by digest
	Blobs        []PlannedBlob       `json:"blobs"`        // every blob that Manifests need, sorted by digest
	Refused      []Refusal           `json:"refused"`      // sorted by source, digest, tag
	Difference   Difference          `json:"difference"`
}

// Scope is the part of the migration that a document covers.
type Scope struct {
	Include []string `json:"include,omitempty"` // globs on repositories; empty means all
	Exclude []string `json:"exclude,omitempty"`
	Wave    *Wave    `json:"wave,omitempty"` // what is covered is in the wave, too
	// Selection is of the images in those repositories. Inventories have none: they list all images.
	Selection Selection `json:"selection,omitzero"`
}

// Wave is a named part of a migration that moves together.
type Wave struct {
	Name    string   `json:"name"`
	Include []string `json:"include"`
	Exclude []string `json:"exclude,omitempty"`
}

// NewScope returns s as the documents say it.
func NewScope(s ref.Scope) Scope {
	include, exclude := s.Texts()
	out := Scope{Include: include, Exclude: exclude}
	if s.Wave.Name != "" {
		include, exclude := s.Wave.Texts()
		out.Wave = &Wave{Name: s.Wave.Name, Include: include, Exclude: exclude}
	}
	return out
}

// Parse reads the patterns.
func (s Scope) Parse() (ref.Scope, error) {
	out, err := ref.ParseScope(s.Include, s.Exclude)
	if err == nil && s.Wave != nil {
		out.Wave, err = ref.ParseWave(s.Wave.Name, s.Wave.Include, s.Wave.Exclude)
	}
	return out, err
}

// PlannedRepository is an Artifact Registry repository that must exist.
type PlannedRepository struct {
	URI         ref.TargetRepository `json:"uri"`
	Description string               `json:"description"`
	Exists      bool                 `json:"exists"` // at planning time
	// DeletingPolicies is how many clean-up policies delete images there, at planning time.
	DeletingPolicies int `json:"deletingPolicies,omitempty"`
	// Settings are what the repository shall have. The key is set at creation, immutable tags at the end, the rest by
	// provision; of labels and clean-up policies these are ours, beside which others may stay.
	Settings TargetSettings `json:"settings"`
}

// PlannedImage is one image path of the target with all that it shall hold.
type PlannedImage struct {
	Target     ref.TargetImage    `json:"target"`
	Sources    []ref.Repository   `json:"sources"`    // one, or several that hold the same content; sorted
	References []PlannedReference `json:"references"` // sorted by digest
}

// PlannedReference is one manifest with its tags.
type PlannedReference struct {
	Digest digest.Digest `json:"digest"`
	Tags   []string      `json:"tags"`             // sorted; empty where untagged
	Source int           `json:"source,omitempty"` // which of the Sources holds it
}

// PlannedManifest is what the plan needs to know of a manifest's content.
type PlannedManifest struct {
	Digest       digest.Digest   `json:"digest"`
	MediaType    string          `json:"mediaType"`
	ArtifactType string          `json:"artifactType,omitempty"`
	Size         int64           `json:"size"` // bytes of the manifest itself
	Children     []digest.Digest `json:"children,omitempty"`
	Blobs        []int           `json:"blobs,omitempty"`   // positions in the plan's Blobs
	Subject      digest.Digest   `json:"subject,omitempty"` // the image that this one describes
}

// PlannedBlob is a config or a layer.
type PlannedBlob struct {
	Digest digest.Digest `json:"digest"`
	Size   int64         `json:"size"` // bytes
}

// Refusal is something that will not be at the target, and why. Digest and Tag are empty where a whole repository is
// refused.
type Refusal struct {
	Source ref.Repository `json:"source"`
	Target string         `json:"target,omitempty"`
	Digest digest.Digest  `json:"digest,omitempty"`
	Tag    string         `json:"tag,omitempty"`
	Rule   string         `json:"rule"`   // a word for machines, such as "archived"
	Reason string         `json:"reason"` // a sentence for people, with what to do
}

// The rules by which things are refused.
const (
	RuleArchived    = "archived"     // ECR keeps it in cold storage: it cannot be pulled
	RuleName        = "name"         // Artifact Registry would refuse the target's name
	RuleConflict    = "conflict"     // different content is mapped to one target
	RuleUnreadable  = "unreadable"   // the manifest cannot be read or is not understood
	RuleIncomplete  = "incomplete"   // something that it needs is refused or missing
	RuleUnmapped    = "unmapped"     // no rule leads anywhere
	RuleOutOfScope  = "out-of-scope" // the scope leaves it out
	RuleUnavailable = "unavailable"  // the source could not be listed
	RuleNotSelected = "not-selected" // the selection leaves it out
	RuleReferrer    = "referrer"     // it only describes another image, and those are not wanted
	RuleUntagged    = "untagged"     // it has no tag, and only tagged images are wanted
	RulePullThrough = "pull-through" // ECR caches it for another registry
	RuleExpired     = "expired"      // ECR's lifecycle policy would delete it
)

// Difference is what the target lacked at planning time. It is shown, never acted upon.
type Difference struct {
	CreateRepositories int   `json:"createRepositories"`
	CopyManifests      int   `json:"copyManifests"` // references to write that hold a manifest not yet there
	PresentManifests   int   `json:"presentManifests"`
	SetTags            int   `json:"setTags"`     // that are not there
	MoveTags           int   `json:"moveTags"`    // that point elsewhere
	PresentTags        int   `json:"presentTags"` //
	CopyBlobs          int   `json:"copyBlobs"`   // unique blobs to read from ECR
	CopyBytes          int64 `json:"copyBytes"`   // their bytes: what leaves ECR
	TotalBytes         int64 `json:"totalBytes"`  // bytes of every unique blob and manifest of the plan
	MountBlobs         int   `json:"mountBlobs"`  // further places where a blob is needed
	ExtraImages        int   `json:"extraImages"` // manifests in the target's planned image paths that no source holds: left alone
	ForeignTags        []Tag `json:"foreignTags"` // tags that somebody else moved at the target: kept unless told otherwise
}

// Tag is a tag at the target.
type Tag struct {
	Target ref.TargetImage `json:"target"`
	Tag    string          `json:"tag"`
	Digest digest.Digest   `json:"digest"`
}

package document

import (
	"cmp"
	"time"

	"github.com/opencontainers/go-digest"

	"transship/internal/ref"
)

// Inventory is what is there, on either side, by digest and tag.
type Inventory struct {
	Header
	Scope    Scope           `json:"scope"` // only of these repositories the images were listed
	Source   SourceInventory `json:"source"`
	Target   TargetInventory `json:"target"`
	Failures []Failure       `json:"failures"` // what could not be listed; sorted by source, then target
}

// SourceInventory is what ECR holds.
type SourceInventory struct {
	Repositories []SourceRepository `json:"repositories"` // sorted by uri
	Images       []SourceImage      `json:"images"`       // sorted by uri, then digest
}

// SourceRepository is one ECR repository with its settings. FACTS A1, A5 [S].
type SourceRepository struct {
	Name           string         `json:"repository"`
	URI            ref.Repository `json:"uri"`
	CreatedAt      time.Time      `json:"createdAt,omitzero"`
	TagMutability  string         `json:"tagMutability,omitempty"` // MUTABLE, IMMUTABLE, …_WITH_EXCLUSION
	TagExclusions  []string       `json:"tagExclusions,omitempty"` // wildcards to which the opposite applies
	ScanOnPush     bool           `json:"scanOnPush"`              //
	EncryptionType string         `json:"encryptionType,omitempty"`
	KMSKey         string         `json:"kmsKey,omitempty"`
	PullThrough    string         `json:"pullThrough,omitempty"` // the registry that ECR fills it from, such as registry-1.docker.io
}

// PullThroughRule says that ECR fills repositories below a prefix from another registry. FACTS A4.
type PullThroughRule struct {
	Prefix   string
	Upstream string // a host, with a path for some
}

// Compare orders rules by their prefixes.
func (r PullThroughRule) Compare(o PullThroughRule) int { return cmp.Compare(r.Prefix, o.Prefix) }

// Status of an image in ECR. Only an ACTIVE one can be pulled. FACTS A1 [S].
const (
	StatusActive     = "ACTIVE"
	StatusArchived   = "ARCHIVED"
	StatusActivating = "ACTIVATING"
)

// SourceImage is one manifest in one ECR repository.
type SourceImage struct {
	Name         string         `json:"repository"`
	URI          ref.Repository `json:"uri"`
	Digest       digest.Digest  `json:"digest"`
	Tags         []string       `json:"tags"` // sorted; empty where untagged
	Size         int64          `json:"size"` // bytes as ECR counts: of an index, its largest child
	MediaType    string         `json:"mediaType"`
	ArtifactType string         `json:"artifactType,omitempty"`
	Subject      digest.Digest  `json:"subject,omitempty"` // the image that this one describes
	PushedAt     time.Time      `json:"pushedAt,omitzero"`
	LastPulledAt time.Time      `json:"lastPulledAt,omitzero"` // as it was before this migration read anything
	Status       string         `json:"status"`
}

// TargetInventory is what Artifact Registry holds.
type TargetInventory struct {
	Repositories []TargetRepository `json:"repositories"` // those that the mapping leads to and that exist; sorted by uri
	Images       []TargetImage      `json:"images"`       // at the paths that the mapping leads to; sorted by uri, then digest
}

// TargetRepository is one Artifact Registry repository with its settings. FACTS B2 [S].
type TargetRepository struct {
	URI         ref.TargetRepository `json:"uri"`
	Format      string               `json:"format"` // DOCKER for all that we can use
	Mode        string               `json:"mode,omitempty"`
	Description string               `json:"description,omitempty"`
	CreatedAt   time.Time            `json:"createdAt,omitzero"`
	TargetSettings
}

// TargetImage is one manifest at one image path of an Artifact Registry repository.
type TargetImage struct {
	URI          ref.TargetImage `json:"uri"`
	Digest       digest.Digest   `json:"digest"`
	Tags         []string        `json:"tags"` // sorted
	Size         int64           `json:"size"` // bytes as Artifact Registry counts
	MediaType    string          `json:"mediaType"`
	ArtifactType string          `json:"artifactType,omitempty"`
	UploadedAt   time.Time       `json:"uploadedAt,omitzero"`
}

package document

import (
	"time"

	"transship/internal/ref"
)

// Settings is what guards the images of the source besides what an inventory holds: policies and tags, as ECR gives them.
// They are read once for each repository, and again where somebody asks for them.
type Settings struct {
	Header
	Registries   []RegistrySettings   `json:"registries"`   // sorted by registry
	Repositories []RepositorySettings `json:"repositories"` // sorted by uri
	Failures     []Failure            `json:"failures"`     // what could not be read; sorted by source
}

// RegistrySettings is what belongs to a registry as a whole. FACTS A1 [S].
type RegistrySettings struct {
	Registry ref.Registry `json:"registry"`
	ReadAt   time.Time    `json:"readAt"`
	Policy   string       `json:"policy,omitempty"`   // an IAM policy of AWS as JSON; empty where there is none
	ScanType string       `json:"scanType,omitempty"` // BASIC or ENHANCED
	// Scans are the rules by which the registry scans whatever its repositories say of themselves.
	Scans []ScanRule `json:"scans,omitempty"`
	// Partial says that something of it could not be read, which is among the failures; the next time it is asked for again.
	Partial bool `json:"partial,omitempty"`
}

// ScanRule says how often images of the repositories that match one of the patterns are scanned.
type ScanRule struct {
	Frequency string   `json:"frequency"` // SCAN_ON_PUSH, CONTINUOUS_SCAN or MANUAL
	Patterns  []string `json:"patterns"`  // * stands for anything
}

// RepositorySettings is what belongs to one repository. The texts are as ECR gave them, whatever they say.
type RepositorySettings struct {
	URI       ref.Repository    `json:"uri"`
	ReadAt    time.Time         `json:"readAt"`
	Lifecycle string            `json:"lifecyclePolicy,omitempty"`  // JSON; empty where there is none
	Policy    string            `json:"repositoryPolicy,omitempty"` // an IAM policy of AWS as JSON; empty where there is none
	Tags      map[string]string `json:"tags,omitempty"`             // of AWS, on the repository
	Partial   bool              `json:"partial,omitempty"`          // as for registries
}

// TargetSettings are what may be set on an Artifact Registry repository. FACTS B2 [S].
type TargetSettings struct {
	ImmutableTags bool              `json:"immutableTags"`
	KMSKey        string            `json:"kmsKey,omitempty"` // projects/P/locations/L/keyRings/R/cryptoKeys/K; only creation sets it
	Labels        map[string]string `json:"labels,omitempty"`
	Scanning      string            `json:"scanning,omitempty"`        // INHERITED or DISABLED; empty in a plan: left as it is
	Cleanup       []CleanupPolicy   `json:"cleanupPolicies,omitempty"` // sorted by id
	CleanupDryRun bool              `json:"cleanupDryRun"`             // the policies delete nothing
}

// The values of Scanning. FACTS B2 [S].
const (
	ScanningInherited = "INHERITED" // as the project has it: images are scanned where its scanning API is enabled
	ScanningDisabled  = "DISABLED"
)

// CleanupPolicy is one of at most ten of a repository. It has either a Condition or a MostRecent. What any KEEP covers
// stays, whatever a DELETE says. FACTS B2 [S], [D].
type CleanupPolicy struct {
	ID         string            `json:"id"`
	Action     string            `json:"action"` // DELETE or KEEP
	Condition  *CleanupCondition `json:"condition,omitempty"`
	MostRecent *MostRecent       `json:"mostRecentVersions,omitempty"` // with KEEP only
}

// The actions of a CleanupPolicy.
const (
	CleanupDelete = "DELETE"
	CleanupKeep   = "KEEP"
)

// CleanupCondition covers the versions for which all that is set holds; of a list of prefixes, one is enough.
type CleanupCondition struct {
	TagState        string   `json:"tagState,omitempty"` // TAGGED, UNTAGGED or ANY
	TagPrefixes     []string `json:"tagPrefixes,omitempty"`
	VersionPrefixes []string `json:"versionNamePrefixes,omitempty"`
	PackagePrefixes []string `json:"packageNamePrefixes,omitempty"`
	OlderThan       Seconds  `json:"olderThan,omitempty"` // since the upload [U]; 0 is no condition
	NewerThan       Seconds  `json:"newerThan,omitempty"`
}

// The values of TagState.
const (
	Tagged   = "TAGGED"
	Untagged = "UNTAGGED"
	AnyTags  = "ANY"
)

// Seconds is an age. The API writes it as 1209600s, the documents as a number.
type Seconds int64

// Day is one day.
const Day Seconds = 24 * 60 * 60

// MostRecent covers the newest versions of each package.
type MostRecent struct {
	PackagePrefixes []string `json:"packageNamePrefixes,omitempty"`
	KeepCount       int      `json:"keepCount"`
}

// DeletingPolicies is how many clean-up policies delete images.
func (s TargetSettings) DeletingPolicies() int {
	if s.CleanupDryRun {
		return 0
	}
	n := 0
	for _, p := range s.Cleanup {
		if p.Action == CleanupDelete {
			n++
		}
	}
	return n
}

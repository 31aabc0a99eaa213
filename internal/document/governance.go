package document

import (
	"time"

	"github.com/opencontainers/go-digest"

	"transship/internal/ref"
)

// Governance tells of every setting that guards images in ECR where it went. It belongs to a plan, whose repositories
// have what came of it.
type Governance struct {
	Header
	Scope        Scope                `json:"scope"`
	MadeAt       time.Time            `json:"madeAt"` // the moment that the forecasts count from
	Layout       string               `json:"layout"` // single or grouped
	Repositories []GovernedRepository `json:"repositories"`
	Registries   []GovernedRegistry   `json:"registries"`
	Targets      []GovernedTarget     `json:"targets"`
	Access       []Grant              `json:"access"` // suggestions, sorted by target, role, principal: nothing of it is ever applied by itself
}

// GovernedRepository is what became of one source repository's settings.
type GovernedRepository struct {
	Source   ref.Repository  `json:"source"`
	Target   ref.TargetImage `json:"target"`
	Settings []Translation   `json:"settings"` // in the order of the Setting constants
	// Doomed are the images that one of the sides would delete within a year if nothing else were pushed; sorted by digest.
	Doomed []Doomed `json:"doomed"`
}

// GovernedRegistry is what became of the settings of a registry as a whole.
type GovernedRegistry struct {
	Source   ref.Registry  `json:"source"`
	Settings []Translation `json:"settings"`
}

// GovernedTarget is what one target repository could not have of all that is mapped into it.
type GovernedTarget struct {
	Target   ref.TargetRepository `json:"target"`
	Settings []Translation        `json:"settings"`
}

// Translation is what became of one setting.
type Translation struct {
	Setting string `json:"setting"`        // lifecycle, immutability, …: see the constants
	Item    string `json:"item,omitempty"` // which of several: the priority of a rule, the key of a tag, the id of a statement
	Was     string `json:"was"`            // in ECR, in a few words
	Becomes string `json:"becomes,omitempty"`
	Fate    Fate   `json:"fate"`
	Reason  string `json:"reason,omitempty"` // a sentence: why it is not exact, or what to know of it
	Decide  string `json:"decide,omitempty"` // what a person must decide or do; empty where nothing is open
}

// Fate is how well a setting was translated.
type Fate string

// The fates, from the best.
const (
	FateExact       Fate = "exact"       // it means the same
	FateApproximate Fate = "approximate" // it never deletes or allows more than the original; the reason says how it differs
	FateLater       Fate = "later"       // exact, and set when the migration ends: by provision --finish
	FateSuggested   Fate = "suggested"   // written for review, applied only by name
	FateRefused     Fate = "refused"     // it has no translation that would be right
	FateNeedless    Fate = "needless"    // Artifact Registry does that, or it means nothing there
)

// The settings.
const (
	SettingLayout       = "layout"
	SettingLifecycle    = "lifecycle"
	SettingImmutability = "immutability"
	SettingScanning     = "scanning"
	SettingEncryption   = "encryption"
	SettingLabel        = "label"
	SettingPermission   = "permission"
)

// Doomed is an image with the first of the Horizons at which each side would have deleted it.
type Doomed struct {
	Digest digest.Digest `json:"digest"`
	Tags   []string      `json:"tags"`
	Source int           `json:"sourceDays"` // days from MadeAt; Never where ECR would keep it
	Target int           `json:"targetDays"` // likewise for Artifact Registry
}

// Never is the horizon at which an image is deleted that is kept.
const Never = -1

// Horizons are the days from now for which a plan says what each side would delete.
var Horizons = [...]int{0, 30, 90, 365}

// Grant is a suggested IAM binding on a target repository, or what stands in the way of one.
type Grant struct {
	Target    ref.TargetRepository `json:"target"`
	Role      string               `json:"role,omitempty"`    // roles/artifactregistry.reader, …
	Principal string               `json:"principal"`         // of AWS: an ARN, an account, a service
	Member    string               `json:"member,omitempty"`  // of Google; empty until the user's file maps the principal
	Sources   []string             `json:"sources"`           // the repositories and registries whose policies say so; sorted
	Actions   []string             `json:"actions,omitempty"` // of ECR; sorted
	Decide    string               `json:"decide,omitempty"`  // what a person must do before it can be granted
}

// DoomedWithin counts the images that each side would have deleted within so many days.
func (r GovernedRepository) DoomedWithin(days int) (source, target int) {
	for _, d := range r.Doomed {
		if d.Source != Never && d.Source <= days {
			source++
		}
		if d.Target != Never && d.Target <= days {
			target++
		}
	}
	return source, target
}

package arsim

import (
	"maps"
	"regexp"
	"strconv"
	"strings"
)

// CleanupPolicy is one rule of a repository's cleanup: what it deletes or keeps.
type CleanupPolicy struct {
	ID                 string              `json:"id,omitempty"`
	Action             string              `json:"action,omitempty"`
	Condition          *CleanupCondition   `json:"condition,omitempty"`
	MostRecentVersions *MostRecentVersions `json:"mostRecentVersions,omitempty"`
}

// CleanupCondition selects versions; all fields that are set must hold, of each list any prefix.
type CleanupCondition struct {
	TagState            string   `json:"tagState,omitempty"`
	TagPrefixes         []string `json:"tagPrefixes,omitempty"`
	VersionNamePrefixes []string `json:"versionNamePrefixes,omitempty"`
	PackageNamePrefixes []string `json:"packageNamePrefixes,omitempty"`
	OlderThan           string   `json:"olderThan,omitempty"` // such as 1209600s
	NewerThan           string   `json:"newerThan,omitempty"`
}

// MostRecentVersions selects the newest versions of each package.
type MostRecentVersions struct {
	PackageNamePrefixes []string `json:"packageNamePrefixes,omitempty"`
	KeepCount           int      `json:"keepCount,omitempty"`
}

var (
	repositoryID = regexp.MustCompile(`^[a-z]([a-z0-9-]*[a-z0-9])?$`)
	labelKey     = regexp.MustCompile(`^[a-z][a-z0-9_-]{0,62}$`)
	labelValue   = regexp.MustCompile(`^[a-z0-9_-]{0,63}$`) // FACTS C4 [U]
	kmsKeyName   = regexp.MustCompile(`^projects/[^/]+/locations/([^/]+)/keyRings/[^/]+/cryptoKeys/[^/]+$`)
	duration     = regexp.MustCompile(`^([0-9]+)(\.[0-9]+)?s$`)
)

const (
	maxRepositoryID    = 63 // FACTS B1 [U]
	maxLabels          = 64
	maxCleanupPolicies = 10
	maxCleanupPolicyID = 127
)

func checkRepositoryID(id string) error {
	if len(id) > maxRepositoryID || !repositoryID.MatchString(id) {
		return invalidArgument("repository_id %q must be lowercase letters, numbers, and hyphens, begin with a letter, end with a letter "+
			"or number, and have at most %d characters", id, maxRepositoryID)
	}
	return nil
}

// normalize checks a resource's settings and brings them to the form in which the API gives them back.
func (r *Repository) normalize() error {
	switch r.Format {
	case "DOCKER", "MAVEN", "NPM", "PYTHON", "APT", "YUM", "GO", "KFP", "GENERIC", "RUBY":
	default:
		return invalidArgument("repository format %q is unknown", r.Format)
	}
	switch r.Mode {
	case "", "MODE_UNSPECIFIED":
		r.Mode = modeStandard
	case modeStandard, "VIRTUAL_REPOSITORY", "REMOTE_REPOSITORY":
	default:
		return invalidArgument("repository mode %q is unknown", r.Mode)
	}
	if r.KMSKeyName != "" && !kmsKeyName.MatchString(r.KMSKeyName) {
		return invalidArgument("kms_key_name %q is not projects/P/locations/L/keyRings/K/cryptoKeys/C", r.KMSKeyName)
	}
	if c := r.VulnerabilityScanningConfig; c != nil {
		switch c.EnablementConfig {
		case "", "ENABLEMENT_CONFIG_UNSPECIFIED", "INHERITED", "DISABLED":
		default:
			return invalidArgument("enablement_config %q is unknown", c.EnablementConfig)
		}
	}
	if err := checkLabels(r.Labels); err != nil {
		return err
	}
	return r.normalizeCleanup()
}

func checkLabels(labels map[string]string) error {
	if len(labels) > maxLabels {
		return invalidArgument("a repository has at most %d labels, not %d", maxLabels, len(labels))
	}
	for k, v := range labels {
		if !labelKey.MatchString(k) || !labelValue.MatchString(v) {
			return invalidArgument("label %q=%q: keys begin with a lowercase letter; keys and values have at most 63 lowercase letters, numbers, '_' and '-'", k, v)
		}
	}
	return nil
}

func (r *Repository) normalizeCleanup() error {
	if len(r.CleanupPolicies) > maxCleanupPolicies {
		return invalidArgument("a repository has at most %d cleanup policies, not %d", maxCleanupPolicies, len(r.CleanupPolicies))
	}
	policies := maps.Clone(r.CleanupPolicies)
	for id, p := range policies {
		if p.ID == "" {
			p.ID = id
		}
		if id == "" || p.ID != id || len(id) > maxCleanupPolicyID {
			return invalidArgument("cleanup policy %q: its id %q must equal its key and have less than 128 characters", id, p.ID)
		}
		if err := p.normalize(); err != nil {
			return err
		}
		policies[id] = p
	}
	r.CleanupPolicies = policies
	return nil
}

// normalize brings a policy to the API's form. gcloud sends the action in any case and durations with a fraction
// (FACTS E2).
func (p *CleanupPolicy) normalize() error {
	p.Action = strings.ToUpper(p.Action)
	switch {
	case p.Action != "DELETE" && p.Action != "KEEP":
		return invalidArgument("cleanup policy %q: action %q is neither DELETE nor KEEP", p.ID, p.Action)
	case (p.Condition == nil) == (p.MostRecentVersions == nil):
		return invalidArgument("cleanup policy %q: exactly one of condition and most_recent_versions must be set", p.ID)
	case p.MostRecentVersions != nil && p.Action != "KEEP":
		return invalidArgument("cleanup policy %q: most_recent_versions may only be specified with a Keep action", p.ID)
	case p.Condition == nil:
		return nil
	}
	c := *p.Condition
	c.TagState = strings.ToUpper(c.TagState)
	switch c.TagState {
	case "", "TAG_STATE_UNSPECIFIED", "TAGGED", "UNTAGGED", "ANY":
	default:
		return invalidArgument("cleanup policy %q: tag_state %q is unknown", p.ID, c.TagState)
	}
	for _, d := range []*string{&c.OlderThan, &c.NewerThan} {
		if *d == "" {
			continue
		}
		m := duration.FindStringSubmatch(*d)
		if m == nil {
			return invalidArgument("cleanup policy %q: duration %q is not a number of seconds with an s", p.ID, *d)
		}
		if f, err := strconv.ParseFloat("0"+m[2], 64); err == nil && f == 0 {
			*d = m[1] + "s"
		}
	}
	p.Condition = &c
	return nil
}

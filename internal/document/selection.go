package document

import "time"

// Selection is which images of the repositories in scope a document covers. What a selected image needs or what
// describes it comes along.
type Selection struct {
	Tags             []string  `json:"tags,omitempty"`          // globs; empty means all
	Newest           int       `json:"newest,omitempty"`        // images a repository; 0 means all
	PushedSince      time.Time `json:"pushedSince,omitzero"`    //
	PulledSince      time.Time `json:"pulledSince,omitzero"`    //
	OlderVersions    int       `json:"olderVersions,omitempty"` // so many images pushed before each selected one
	WithoutReferrers bool      `json:"withoutReferrers,omitempty"`
	TaggedOnly       bool      `json:"taggedOnly,omitempty"`
	PullThrough      bool      `json:"pullThrough,omitempty"`    // pull-through caches, too
	WithoutExpired   bool      `json:"withoutExpired,omitempty"` // without what ECR's lifecycle policies would delete
}

// IsZero reports whether s leaves nothing out but pull-through caches.
func (s Selection) IsZero() bool {
	return len(s.Tags) == 0 && s.Newest == 0 && s.PushedSince.IsZero() && s.PulledSince.IsZero() && s.OlderVersions == 0 &&
		!s.WithoutReferrers && !s.TaggedOnly && !s.PullThrough && !s.WithoutExpired
}

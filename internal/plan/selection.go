package plan

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"transship/internal/document"
	"transship/internal/ref"
)

// Selection narrows what is taken of the repositories in scope. The zero value takes everything but pull-through caches.
// An image must meet all that is set: of those that Tags, PushedSince and PulledSince leave, Newest takes the newest.
// Whatever a selected image needs or what describes it comes along: children, referrers and sha256-* tags.
type Selection struct {
	// Tags selects the tags that one of these matches, and with them their images. An image's other tags stay behind.
	Tags []ref.Glob
	// Newest selects that many tagged images of each repository, those that were pushed last, equal times by digest. An
	// index counts as one, its children do not count, and neither does what only describes other images. 0 is all.
	Newest int
	// PushedSince selects images that were pushed at that time or later; the zero time is all.
	PushedSince time.Time
	// PulledSince selects images that were pulled at that time or later, an index with any of its children; the zero time
	// is all. ECR tells pulls within a day, and the inventory has the first that was seen: see document.SourceImage.
	PulledSince time.Time
	// OlderVersions takes, for each selected image, that many that were pushed to its repository before it, tagged or not,
	// with all their tags. Without another selector it does nothing.
	OlderVersions int
	// WithoutReferrers leaves out what only describes other images: OCI referrers, and sha256-* tags. What an index lists
	// stays, attestations too.
	WithoutReferrers bool
	// TaggedOnly leaves out untagged images that no planned image needs and that describe none.
	TaggedOnly bool
	// PullThrough takes the repositories, too, that ECR fills from another registry.
	PullThrough bool
	// WithoutExpired leaves out what Rules.Expired has, but for what a planned image needs or what describes one.
	WithoutExpired bool
}

// IsZero reports whether s takes everything but pull-through caches.
func (s Selection) IsZero() bool { return s.Document().IsZero() }

// Document is s as the documents say it.
func (s Selection) Document() document.Selection {
	d := document.Selection{
		Newest: s.Newest, PushedSince: s.PushedSince.UTC(), PulledSince: s.PulledSince.UTC(), OlderVersions: s.OlderVersions,
		WithoutReferrers: s.WithoutReferrers, TaggedOnly: s.TaggedOnly, PullThrough: s.PullThrough,
		WithoutExpired: s.WithoutExpired,
	}
	for _, g := range s.Tags {
		d.Tags = append(d.Tags, g.String())
	}
	return d
}

// ParseSelection reads a selection as the documents say it. The error names the flag that is wrong.
func ParseSelection(d document.Selection) (Selection, error) {
	s := Selection{
		Newest: d.Newest, PushedSince: d.PushedSince, PulledSince: d.PulledSince, OlderVersions: d.OlderVersions,
		WithoutReferrers: d.WithoutReferrers, TaggedOnly: d.TaggedOnly, PullThrough: d.PullThrough,
		WithoutExpired: d.WithoutExpired,
	}
	for _, text := range d.Tags {
		g, err := ref.ParseGlob(text)
		if err != nil {
			return Selection{}, fmt.Errorf("tag: %w", err)
		}
		s.Tags = append(s.Tags, g)
	}
	switch {
	case s.Newest < 0:
		return Selection{}, fmt.Errorf("newest: %d is not a number of images", s.Newest)
	case s.OlderVersions < 0:
		return Selection{}, fmt.Errorf("older-versions: %d is not a number of images", s.OlderVersions)
	case s.OlderVersions > 0 && !s.selects():
		return Selection{}, fmt.Errorf("older-versions: it needs tag, newest, pushed-since or pulled-since to be older than")
	}
	return s, nil
}

// selects reports whether s chooses images for what they are, so that the others are left out.
func (s Selection) selects() bool {
	return len(s.Tags) > 0 || s.Newest > 0 || !s.PushedSince.IsZero() || !s.PulledSince.IsZero()
}

// matches reports whether a tag is one that Tags select.
func (s Selection) matches(tag string) bool {
	return slices.ContainsFunc(s.Tags, func(g ref.Glob) bool { return g.Match(tag) })
}

// ParseSince reads a point in time: a date (2026-11-23, at midnight UTC), a time (2026-11-23T12:00:00Z), or a duration
// before now (12h, 30d, 8w, 2w3d).
func ParseSince(text string, now time.Time) (time.Time, error) {
	for _, layout := range []string{time.DateOnly, time.RFC3339} {
		if t, err := time.Parse(layout, text); err == nil {
			return t.UTC(), nil
		}
	}
	ago, err := parseDuration(text)
	if err != nil {
		return time.Time{}, fmt.Errorf("%q is neither a date such as 2026-11-23, nor a time such as 2026-11-23T12:00:00Z, nor a duration such as 12h, 30d or 8w", text)
	}
	return now.Add(-ago).UTC(), nil
}

// parseDuration reads weeks and days before what Go reads.
func parseDuration(text string) (time.Duration, error) {
	var sum time.Duration
	rest := text
	for _, unit := range []struct {
		name string
		is   time.Duration
	}{{"w", 7 * 24 * time.Hour}, {"d", 24 * time.Hour}} {
		number, after, found := strings.Cut(rest, unit.name)
		if !found {
			continue
		}
		n, err := strconv.ParseUint(number, 10, 16)
		if err != nil {
			return 0, err
		}
		sum += time.Duration(n) * unit.is
		rest = after
	}
	if rest == "" && rest != text {
		return sum, nil
	}
	d, err := time.ParseDuration(rest)
	if err != nil || d < 0 {
		return 0, fmt.Errorf("%q is not a duration", text)
	}
	return sum + d, nil
}

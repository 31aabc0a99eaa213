// Package retention makes clean-up policies of lifecycle policies, and proves that they delete nothing that ECR keeps.
//
// A source is an ECR repository, whose images go to a package of the target repository. Each of its rules becomes a
// part: perhaps a template that deletes, perhaps one that shields the rule's images from the rules behind it, since
// Artifact Registry knows no order of policies. Templates that are alike become one policy for all their packages.
// Then both sides are played over the real images; a source that would lose one is refused as a whole, because its
// rules shield each other.
//
//	lifecycle policy ─→ parts ─→ templates ─┬─→ policies ─→ proof ─→ Result
//	      (of each source)                  └── other sources
//
// How well a rule can be said is in a table that is easy to correct: see outcomes.go.
package retention

import (
	"time"

	"github.com/opencontainers/go-digest"

	"transship/internal/document"
	"transship/internal/governance/image"
	"transship/internal/ref"
)

// Source is an ECR repository that goes to the target repository.
type Source struct {
	Repository ref.Repository
	Package    string // the image path in the target repository; several sources may share one
	Policy     string // the lifecycle policy as ECR gave it; empty where there is none
	Images     []image.Image
}

// Input is all that is known of one target repository.
type Input struct {
	Target  ref.TargetRepository
	Sources []Source
	Others  []string // further image paths that the target repository holds
	// Existing is what the target repository has already; nil where it does not exist.
	Existing *document.TargetSettings
	// Sole is true where the target repository is for the one source and nothing else, now and later.
	Sole bool
	// LeaveOut is true where images that ECR would delete today are not copied.
	LeaveOut bool
	// Immutable is true where the repository's tags shall be immutable when the migration ends.
	Immutable bool
	Preset    Preset
	Now       time.Time // images count as uploaded now
}

// Result is what became of the policies. The clean-up policies are meant for a repository whose clean-up is a dry run.
type Result struct {
	Policies []document.CleanupPolicy // ours alone, sorted by id
	Sources  []SourceResult           // in the order of the input
	Target   []document.Translation   // what concerns all sources together
}

// SourceResult is what became of one source.
type SourceResult struct {
	Settings []document.Translation // one for each rule, by priority; none where there is no policy
	Doomed   []document.Doomed      // the forecast, sorted by digest
	// DueToday are the images that ECR would delete today, sorted. They need not be copied.
	DueToday []digest.Digest
	// Evidence is the images that Artifact Registry would delete and ECR would keep, where that refused the policy.
	Evidence []digest.Digest
}

package plan

import (
	"encoding/json"
	"slices"

	"github.com/opencontainers/go-digest"

	"transship/internal/document"
	"transship/internal/ref"
)

// Rules is what a plan follows, besides what is there.
type Rules struct {
	Migration document.Migration // see NewMigration
	Mapping   ref.Mapping
	Scope     ref.Scope
	Selection Selection // of the images in scope
	// Narrowed says that sources of the configuration are left out: rules may be about their repositories.
	Narrowed bool
	// Unread says why manifests are not in the content: the failures that reading it returned. May be nil; it only makes
	// reasons more precise.
	Unread []document.Failure
	// Expired is what ECR's lifecycle policies would delete at the moment. It matters for a selection WithoutExpired alone.
	Expired map[ref.Repository]map[digest.Digest]bool
}

// NewMigration names the migration from sources by m: its sources sorted, its default target, and a digest of its
// rules in their order.
func NewMigration(sources []ref.Registry, m ref.Mapping) document.Migration {
	out := document.Migration{Sources: append([]ref.Registry{}, sources...)}
	slices.SortFunc(out.Sources, ref.Registry.Compare)
	out.Sources = slices.Compact(out.Sources)
	if m.Default != (ref.TargetImage{}) {
		out.Target = m.Default.String()
	}
	if len(m.Rules) > 0 {
		texts := make([][2]string, len(m.Rules))
		for i, u := range m.Rules {
			texts[i] = [2]string{u.From.String(), u.To}
		}
		b, _ := json.Marshal(texts) // strings always marshal
		out.Mapping = digest.FromBytes(b).String()
	}
	return out
}

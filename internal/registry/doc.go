// Package registry is the port between the stages and the clouds: what a manifest says, what can go wrong, and the
// few words that both sides share. It does no I/O.
//
// Vocabulary: a Manifest is an image's bytes as they travel; its Content is what those bytes say (children, blobs,
// subject), which never changes since the digest is made of them. A Side is where something happens: at the source or
// at the target. An Error carries side, operation, object, cause and remedy; its Class is what decides about retries
// and exit codes.
//
//	registry/oci, registry/ecr, registry/gar ─ Manifest, Error ─→ inventory, content, transfer, verify
package registry

// Side is where something happens.
type Side string

// The two sides of a migration.
const (
	Source Side = "source"
	Target Side = "target"
)

// Package governance brings along what guards the images: it translates the settings of ECR repositories into those of
// Artifact Registry, as far as that can be done without deleting or allowing more than the original, and tells of every
// one what became of it.
//
// Vocabulary: a setting is one thing that ECR has set on a repository or a registry: a lifecycle rule, immutable tags,
// scanning, a key, a tag of AWS, a statement of a policy. Its fate is how well it was translated. In ECR each repository
// has its own; in Artifact Registry all that is mapped into one repository shares them, so a setting is translated
// for a group: the sources of one target repository. What a group cannot share is refused, and a person decides.
//
//	inventory ─┐
//	settings ──┼─ Govern ─┬→ settings of the plan's repositories ─→ provision, generate terraform
//	plan ──────┤          └→ governance.json, governance.md
//	content ───┘
//
// The parts are packages of their own: lifecycle and cleanup know the rules of each side, retention translates between
// them and proves it by simulation, layout proposes groups, label and access translate tags and policies.
package governance

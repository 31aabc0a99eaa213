// Package layout proposes which Artifact Registry repositories the repositories of ECR go to.
//
// ECR has one repository for each image, with settings of its own. An Artifact Registry repository holds many images,
// and its settings are those of all of them. Traits are the settings that matter; repositories with the same traits
// are compatible and can share a group, which is one Artifact Registry repository. There are as many groups as there
// are different traits: fewer would lose something, more would be of no use.
//
//	Sources with Traits ─┐
//	Base (--to)          ├─ Propose ─→ Proposal: Groups with reasons, Rules ─→ mappings: in transship.yaml
//	Frozen rules ────────┘
//
// An image keeps the whole name of its repository in ECR below its group, as it does without a layout: people and
// scripts recognise it, a clean-up policy can name it, it moves from one group to another without a new name, and no two
// can meet, which they could if prefixes were cut off.
//
// A layout that was once used is frozen: images do not move because a setting changed. What is new joins a group that is
// compatible or opens one.
package layout

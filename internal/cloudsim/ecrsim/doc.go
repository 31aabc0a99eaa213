// Package ecrsim is the embedded Amazon ECR: the JSON API (AWS JSON 1.1), the registry v2 data plane and the "S3" host
// behind it, with their pages, limits, quirks and errors.
//
// Vocabulary: a Region holds the registries of several accounts, which share one API host and one S3 host; a Registry is
// one account in one region, with a data plane host of its own; a Repository is a named list of images with settings; an
// image is one manifest. Quirks play the facts about ECR that nobody has confirmed yet, either way.
//
//	api.ecr.REGION.amazonaws.com ──▶ Region.API ──┐
//	ACCOUNT.dkr.ecr.REGION… ──▶ Registry ─────────┼─▶ Repository ─▶ store
//	          │ 307 with a signed URL             │
//	          └──────▶ prod-REGION-starport… ─▶ Region.S3
package ecrsim

// Package ecr is the control plane of the source: what the API of Amazon ECR says about one registry (an account in a
// region), read in bulk. It never changes anything.
//
// Vocabulary: a Registry lists its Repositories and their Images page by page, and reads Manifests in chunks by digest;
// Referrers are the images that describe another one. Its Authorizer gives the data plane the credential that
// GetAuthorizationToken hands out, and renews it. Every failure is a *registry.Error of the side Source.
//
// Who the caller is, is the AWS SDK's default chain, or a role that it, or an ID token, assumes; Sessions gives the same
// credentials to others. They are renewed before they end, and when AWS says that they have.
//
//	ECR's JSON API ─ ecr.Registry ─ document.SourceRepository, document.SourceImage, registry.Manifest ─→ inventory, content
//	             └── ecr.Authorizer ─ Authorization: Basic … ─→ registry/oci
//
// Requests: Repositories 1 a 1,000; Images 1 a 1,000 (at least 1 a repository); Manifests 1 a 100; Referrers 1 a 50;
// the Authorizer 1 in six hours; an assumed role 1 an hour; Identity 1. The retries of each are the SDK's, and nobody else's: see newRetryer.
package ecr

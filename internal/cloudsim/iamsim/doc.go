// Package iamsim is who is who in the embedded clouds: the users, roles and temporary keys of AWS with STS, SSO and the
// metadata services that hand them out, and the service accounts and federations of Google with theirs.
//
// Vocabulary: a Principal is who holds an access key of AWS; a Role is assumed by principals that its trust names, or with
// an ID token; a Pool is a workload identity pool of Google, which takes the identities of AWS and of OIDC issuers for
// its own; a service account is acted as by members that may.
//
//	AWS.STS, AWS.SSO ── temporary keys ─→ ecrsim, by AWS.Lookup
//	Google.STS, Google.IAM, Google.OAuth ── access tokens, ID tokens ─→ arsim, AWS.STS
//	AWS.Container, AWS.Instance, Google.Metadata ── plain HTTP, for a listener on the loopback interface
package iamsim

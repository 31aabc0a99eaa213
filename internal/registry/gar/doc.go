// Package gar is the control plane of the target: what the REST API of Artifact Registry says about repositories and
// their images, read in bulk, and the creation of repositories. It changes nothing else.
//
// Vocabulary: a Cloud reads a Repository and lists its Images, or, where few images of a large repository matter, the
// PackageImages of one path (Artifact Registry calls an image path a package, a manifest a version). A TokenSource holds
// a credential for this API and for the data plane, and renews it; a Keyring has it for every host, or, where there is
// but docker's configuration, one a host. A HostAuthorizer sends it to one host's data plane, or what the host gives in
// exchange. Every failure is a *registry.Error of the side
// Target.
//
//	Artifact Registry's REST API ─ gar.Cloud ─ document.TargetRepository, document.TargetImage ─→ inventory, verify
//	              gar.Cloud.Create ←─ provision
//	                   └── gar.Keyring ─ gar.HostAuthorizer ─ Authorization: Bearer … ─→ registry/oci
//
// Requests: Repository 1; Images 1 a 1,000, and 1 for each image with 100 tags or more; PackageImages likewise; Create 1,
// and 1 a poll of its operation. Their retries are those of retryTransport, and nobody else's.
package gar

// Package e2e tests the built transship binary from outside, as its users have it: by its command line, its exit codes,
// its documents and what is in the registries afterwards.
//
// Two worlds. In the one, the embedded clouds (transship/internal/cloudsim) are both clouds whole, and crane, aws and
// gcloud, which Transship did not write, say what is there. In the other, distribution/distribution, the registry that
// most of the field runs, is the data plane of both sides, and the embedded clouds are the control planes alone:
//
//	transship ─ HTTPS_PROXY, or DNS ─▶ TLS at the real names ─┬─▶ ECR's API, AR's API: embedded clouds
//	                                                          └─▶ data planes: embedded clouds, or two real registries
//
// It is a module of its own so that the product does not depend on a registry server. The tests find what they need
// in the environment:
//
//	TRANSSHIP_BIN   absolute path of the binary under test; without it TestMain builds one
//	PATH            crane, built from this module's tool directive; aws and gcloud where they are installed
//
// `make e2e` and .ci/run provide the first two. What cannot run where it is says so and is skipped.
package e2e

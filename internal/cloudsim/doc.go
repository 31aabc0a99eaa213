// Package cloudsim is the embedded clouds: servers that speak Amazon ECR's and Google Artifact Registry's protocols,
// with their limits and errors, over TLS at their real host names, on any net.Listener. The demo and the tests run on
// them. It imports nothing of the product, so that it can be its oracle.
//
// Vocabulary: a Sim is one such world with a certificate authority of its own; a host is a DNS name, or a pattern with
// one "*", that the Sim answers for; a kind is the short stable word for one sort of request (ecr.DescribeImages,
// s3.get, ar.v2.manifest.put) by which requests are counted and faults are aimed; a fault is a middleware that spoils
// some requests.
//
//	client ── DialContext / Proxy ──▶ listener (TCP or memory, delayed by RTT) ──▶ TLS by name
//	       ──▶ count by kind ──▶ faults ──▶ the host's handler (ecrsim, arsim, or one given to Handle)
package cloudsim

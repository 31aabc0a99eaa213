// Package inventory lists what is there, on both sides, in bulk and by digest. It changes nothing and reads no manifest.
//
// Vocabulary: a sweep is the listing of all images of a repository. A referrer is an image that describes another one,
// its subject. A probe is one question about referrers, by which we learn whether the sweeps show them. A pull-through
// cache is a repository that ECR fills from another registry.
//
//	Source (one a registry) ─┐
//	                         ├─ Run ─→ inventory.json ─→ Summarize
//	Target ──────────────────┘
//
// It costs, of R repositories and N images, R/1000 + R + N/1000 requests at the source (and one for the rules of
// pull-through caches, and R probes where nothing shows a subject), and N/1000 at the target, where what is not mapped
// counts at most as much as the mapped paths would take one by one.
package inventory

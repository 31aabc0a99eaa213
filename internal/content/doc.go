// Package content learns what manifests say: the children, blobs and subject of every image that the source holds, read
// once per digest, since such a fact never changes.
//
// Vocabulary: a holder is a repository that holds a digest. A round reads a set of digests in bulk; the children that
// it finds and that are not known make the next round. The closure is complete when a round finds nothing new.
//
//	inventory ─ Read ─→ content.jsonl
//	            │ │
//	            │ └─ Fallback: GET by digest, for what bulk reading could not give
//	            └─── Source: BatchGetImage, 100 digests a call
//
// It costs N/100 requests for N unique digests that are not yet known.
package content

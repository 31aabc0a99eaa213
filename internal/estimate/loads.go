package estimate

import (
	"cmp"
	"slices"

	"transship/internal/document"
	"transship/internal/ref"
)

// The default quotas a minute. ECR's are a second, of an account and region; Google's of a project and location.
// FACTS A2, B4.
const (
	quotaManifests = 2000 * 60 // BatchGetImage
	quotaBlobs     = 3000 * 60 // GetDownloadUrlForLayer, which a GET of a blob counts as
	quotaRequests  = 60_000
	quotaWrites    = 18_000
)

const (
	manifestsAtOnce = 100  // in a BatchGetImage
	listedAtOnce    = 1000 // images in a page of a listing
)

// loads sets the requests of the copy against the quotas. Listings of ECR belong to the inventory, and AWS publishes no
// quota for them.
func (e *estimator) loads() {
	batches := map[ref.Registry]int64{}
	for from, manifests := range e.all.manifests {
		batches[from.Registry] += pages(len(manifests), manifestsAtOnce)
	}
	for r, n := range batches {
		e.load("source", r.Host(), "BatchGetImage", n, quotaManifests)
	}
	for r, n := range e.all.reads {
		e.load("source", r.Host(), "GetDownloadUrlForLayer", n, quotaBlobs)
	}
	for r, n := range e.all.pieces {
		e.load("source", r.Host(), "S3 GetObject", n, 0)
	}
	listings, there := map[place]int64{}, map[ref.TargetRepository]int{}
	for _, t := range e.Inventory.Target.Images {
		there[t.URI.Repository]++
	}
	for _, r := range e.plan.Repositories {
		listings[place{r.URI.Project, r.URI.Location}] += 1 + max(1, pages(there[r.URI], listedAtOnce))
	}
	for at, n := range listings {
		e.load("target", at.String(), "requests", n+e.all.requests[at], quotaRequests)
		e.load("target", at.String(), "writes", e.all.requests[at], quotaWrites)
	}
	slices.SortFunc(e.out.Loads, func(a, b document.EstimatedLoad) int {
		return cmp.Or(cmp.Compare(a.Side, b.Side), cmp.Compare(b.Seconds, a.Seconds), cmp.Compare(a.Where, b.Where), cmp.Compare(a.Kind, b.Kind))
	})
}

func (e *estimator) load(side, where, kind string, requests, quota int64) {
	if own := int64(e.MaxRequestsPerSecond * 60); own > 0 && (quota == 0 || own < quota) {
		quota = own
	}
	l := document.EstimatedLoad{Side: side, Where: where, Kind: kind, Requests: requests, PerMinute: quota}
	if quota > 0 {
		l.Seconds = float64(requests) * 60 / float64(quota)
	}
	e.out.Loads = append(e.out.Loads, l)
}

func pages(n, at int) int64 { return int64((n + at - 1) / at) }

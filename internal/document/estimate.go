package document

import (
	"time"

	"transship/internal/ref"
)

// Estimate is what a plan will cost in bytes, requests, time and money: estimate.json, made with the plan. Every figure
// follows from the plan, the inventory and what Assumptions say; none was measured, but for a bandwidth that says so.
type Estimate struct {
	Header
	Scope       Scope              `json:"scope"`
	MadeAt      time.Time          `json:"madeAt"`
	Move        EstimatedMove      `json:"move"`
	Loads       []EstimatedLoad    `json:"loads"`  // sorted by side, then the longest first
	Time        EstimatedTime      `json:"time"`   //
	Egress      []EstimatedEgress  `json:"egress"` // one for each source and target location; sorted
	Storage     []EstimatedStorage `json:"storage"`
	Savings     []EstimatedSaving  `json:"savings"` // what leaving images out would save, one for each reason
	PricesAsOf  string             `json:"pricesAsOf"`
	Assumptions []string           `json:"assumptions"` // sentences
}

// EstimatedMove is what has to go to the target. Bytes are of blobs, each counted once wherever it is needed.
type EstimatedMove struct {
	References   int   `json:"references"`   // to write: tags, and digests without one
	Manifests    int   `json:"manifests"`    // to read and write
	Blobs        int   `json:"blobs"`        // to read from ECR, each once
	Bytes        int64 `json:"bytes"`        // of them: what leaves ECR
	Mounts       int   `json:"mounts"`       // further places of blobs, which cost a request and no bytes
	UniqueBytes  int64 `json:"uniqueBytes"`  // of everything that the plan wants, there already or not
	PresentBytes int64 `json:"presentBytes"` // of that, what the target has
	ListedBytes  int64 `json:"listedBytes"`  // the sum of the sizes that ECR lists: an index counts as its largest child, a shared layer each time
}

// EstimatedLoad is the requests of one kind against a quota.
type EstimatedLoad struct {
	Side      string  `json:"side"`                // source or target
	Where     string  `json:"where"`               // an ECR registry, or a project and location of Artifact Registry
	Kind      string  `json:"kind"`                // the operation, or what the quota counts
	Requests  int64   `json:"requests"`            //
	PerMinute int64   `json:"perMinute,omitempty"` // the quota; 0 where none is known
	Seconds   float64 `json:"seconds"`             // that they take at least at that quota
}

// EstimatedTime is how long the copy takes: as long as what takes longest.
type EstimatedTime struct {
	Bandwidth    int64   `json:"bandwidth"`    // bytes a second
	Origin       string  `json:"origin"`       // of the bandwidth: given, measured or assumed
	TransferFor  float64 `json:"transferFor"`  // seconds that the bytes take
	RequestsFor  float64 `json:"requestsFor"`  // seconds that the longest load takes
	Total        float64 `json:"total"`        // seconds
	Bound        string  `json:"bound"`        // bandwidth or quota: which of them rules
	BoundBy      string  `json:"boundBy"`      // in words
	Machines     int     `json:"machines"`     // that the figures are for
	AtBandwidths []At    `json:"atBandwidths"` // the same at usual bandwidths
	QuotaRulesAt int64   `json:"quotaRulesAt"` // bytes a second above which more bandwidth helps nothing; 0 where nothing is to be copied
}

// At is how long the copy takes at a bandwidth.
type At struct {
	Bandwidth int64   `json:"bandwidth"` // bytes a second
	Total     float64 `json:"total"`     // seconds
	Bound     string  `json:"bound"`
}

// EstimatedEgress is what AWS charges for bytes that leave a source.
type EstimatedEgress struct {
	Source     ref.Registry `json:"source"`
	Target     string       `json:"target"` // the host of the location
	Route      string       `json:"route"`  // the row of the price table
	Bytes      int64        `json:"bytes"`
	PerGB      float64      `json:"perGB"`      // US dollars
	Cost       float64      `json:"cost"`       // US dollars
	NaiveBytes int64        `json:"naiveBytes"` // bytes that a copy of each tag by itself would read
}

// EstimatedStorage is what lies at one target repository, before and after.
type EstimatedStorage struct {
	Target  ref.TargetRepository `json:"target"`
	Before  int64                `json:"before"` // bytes, of what is listed there now at the planned paths
	After   int64                `json:"after"`
	PerGB   float64              `json:"perGB"`   // US dollars a month
	Monthly float64              `json:"monthly"` // US dollars, after
}

// The reasons of savings.
const (
	SavingNotPulled = "not-pulled" // in the last 180 days, as ECR recorded it before the migration
	SavingUntagged  = "untagged"   // and nothing tagged needs it
	SavingExpired   = "expired"    // ECR's own policy would delete it by now
)

// EstimatedSaving is what leaving images out would save. Bytes are of blobs that nothing else needs.
type EstimatedSaving struct {
	Reason  string  `json:"reason"`
	Images  int     `json:"images"`
	Bytes   int64   `json:"bytes"`
	Egress  float64 `json:"egress"`            // US dollars, once
	Monthly float64 `json:"monthly"`           // US dollars of storage a month
	Flag    string  `json:"flag"`              // how to do it
	Unknown string  `json:"unknown,omitempty"` // why it cannot be told; then the figures are 0
}

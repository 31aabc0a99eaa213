package estimate

import (
	"cmp"
	"fmt"
	"math"
	"slices"
	"time"

	"github.com/opencontainers/go-digest"

	"transship/internal/document"
	"transship/internal/ref"
)

// Bandwidth is how many bytes a second one machine reads, and how that is known.
type Bandwidth struct {
	PerSecond int64
	Origin    string
}

// How a bandwidth is known.
const (
	Given    = "given"
	Measured = "measured" // by the last copy
	Assumed  = "assumed"
)

// Usual is what is assumed where no bandwidth is given and none was measured: 1 Gbit/s.
const Usual = 125_000_000

// enough is what a copy must have read, and for how long, to say something about the bandwidth.
const (
	enoughBytes = 10_000_000
	enoughTime  = 5 * time.Second
)

// Measure is the bandwidth of a copy. ok is false where it was too short, or read too little, to tell.
func Measure(r document.Results) (b Bandwidth, ok bool) {
	took := r.EndedAt.Sub(r.StartedAt)
	if r.Traffic.BytesRead < enoughBytes || took < enoughTime {
		return b, false
	}
	return Bandwidth{int64(float64(r.Traffic.BytesRead) / took.Seconds()), Measured}, true
}

// Config is what an estimate follows from.
type Config struct {
	Plan      document.Plan
	Inventory document.Inventory
	// Expired are the images that ECR's own policies would delete now; nil where the policies are not known.
	Expired   map[ref.Repository]map[digest.Digest]bool
	Prices    Prices
	Bandwidth Bandwidth // the zero value assumes the usual one
	Machines  int       // that copy side by side; 0 is one
	// MaxBandwidth and MaxRequestsPerSecond are the caps of the configuration on bytes of all machines together and on
	// requests to each host; 0 caps nothing.
	MaxBandwidth         int64
	MaxRequestsPerSecond float64
	Now                  time.Time
}

type estimator struct {
	*Config
	*graph
	all      moved
	unpriced []string // regions without a price
	out      document.Estimate
}

// Make estimates what the plan costs.
func Make(c Config) document.Estimate {
	e := &estimator{Config: &c, graph: newGraph(&c)}
	e.out = document.Estimate{
		Header: document.NewHeader(document.KindEstimate, c.Plan.Migration), Scope: c.Plan.Scope, MadeAt: c.Now, PricesAsOf: c.Prices.asOf(),
		Loads: []document.EstimatedLoad{}, Egress: []document.EstimatedEgress{}, Storage: []document.EstimatedStorage{},
	}
	e.all = e.move(nil)
	e.out.Move = e.all.EstimatedMove
	e.out.Move.ListedBytes = e.listed()
	e.loads()
	e.time()
	e.egress()
	e.storage()
	e.savings()
	e.assume()
	slices.SortFunc(e.out.Egress, func(a, b document.EstimatedEgress) int {
		return cmp.Or(a.Source.Compare(b.Source), cmp.Compare(a.Target, b.Target))
	})
	return e.out
}

// listed is the sum of what ECR lists as the sizes of the plan's images.
func (e *estimator) listed() (sum int64) {
	wanted := map[ref.Repository]map[digest.Digest]bool{}
	for n := range e.groups {
		for _, r := range e.groups[n].References {
			from := e.groups[n].Sources[r.Source]
			if wanted[from] == nil {
				wanted[from] = map[digest.Digest]bool{}
			}
			wanted[from][r.Digest] = true
		}
	}
	for _, i := range e.Inventory.Source.Images {
		if wanted[i.URI][i.Digest] {
			sum += i.Size
		}
	}
	return sum
}

// usual are the bandwidths of the table, in bytes a second: 100 Mbit/s, 1 and 10 Gbit/s.
var usual = [...]int64{12_500_000, 125_000_000, 1_250_000_000}

func (e *estimator) time() {
	t := &e.out.Time
	t.Machines = max(1, e.Machines)
	if e.Bandwidth.PerSecond <= 0 {
		e.Bandwidth = Bandwidth{Usual, Assumed}
	}
	t.Bandwidth, t.Origin = e.Bandwidth.PerSecond*int64(t.Machines), e.Bandwidth.Origin
	if e.MaxBandwidth > 0 && e.MaxBandwidth < t.Bandwidth {
		t.Bandwidth, t.Origin = e.MaxBandwidth, Given
	}
	longest := document.EstimatedLoad{}
	for _, l := range e.out.Loads {
		if l.Seconds > longest.Seconds {
			longest = l
		}
	}
	t.RequestsFor = longest.Seconds
	if longest.Seconds > 0 && e.all.Bytes > 0 {
		t.QuotaRulesAt = int64(math.Ceil(float64(e.all.Bytes) / longest.Seconds))
	}
	for _, b := range usual {
		total, bound := e.at(b)
		t.AtBandwidths = append(t.AtBandwidths, document.At{Bandwidth: b, Total: total, Bound: bound})
	}
	t.TransferFor = float64(e.all.Bytes) / float64(t.Bandwidth)
	if t.Total, t.Bound = e.at(t.Bandwidth); t.Bound == boundByQuota {
		t.BoundBy = fmt.Sprintf("%s of %s, %d a minute", longest.Kind, longest.Where, longest.PerMinute)
	} else {
		t.BoundBy = "the bandwidth, which is " + t.Origin
	}
}

// What rules the time.
const (
	boundByBandwidth = "bandwidth"
	boundByQuota     = "quota"
)

// at is how long the copy takes at a bandwidth, in seconds, and what rules.
func (e *estimator) at(bandwidth int64) (seconds float64, bound string) {
	bytes := float64(e.all.Bytes) / float64(bandwidth)
	if e.out.Time.RequestsFor > bytes {
		return e.out.Time.RequestsFor, boundByQuota
	}
	return bytes, boundByBandwidth
}

// assume says what the figures rest on.
func (e *estimator) assume() {
	say := func(format string, a ...any) {
		e.out.Assumptions = append(e.out.Assumptions, fmt.Sprintf(format, a...))
	}
	e.out.Assumptions = []string{}
	t := e.out.Time
	switch t.Origin {
	case Assumed:
		say("Nobody gave a bandwidth and none was measured: 1 Gbit/s a machine is assumed (--bandwidth gives another).")
	case Measured:
		say("The bandwidth is that of the last copy, %d bytes a second a machine, pauses included.", e.Bandwidth.PerSecond)
	}
	say("Bytes and requests go side by side: the copy takes as long as the slower of them. Throttling, retries and the latency of small images are not in it.")
	say("Quotas are the defaults that AWS and Google publish, not what your accounts were given; every POST, PUT and mount counts as a write.")
	say("ECR lists an index as large as its largest child, and a shared layer with each image: the sum of its sizes is not what moves.")
	say("Prices are list prices, written down on %s and fetched from nowhere, in US dollars for %d bytes; taxes, discounts and free tiers are not in it (prices: in transship.yaml says others).", e.out.PricesAsOf, int64(GB))
	say("Bytes leave AWS to the internet at the price of the first 10 TB a month, wherever the copy runs; a NAT gateway or a private link costs extra, and requests are not billed.")
	slices.Sort(e.unpriced)
	for _, region := range slices.Compact(e.unpriced) {
		say("No price of egress is known for %s: its bytes are counted as 0 dollars until prices: in transship.yaml says one.", region)
	}
	say("Artifact Registry stores a layer once in each repository; what an image holds that is there and not in the plan counts as large as Google lists it.")
	say("Savings are each by itself, and overlap. Not pulled means: neither pulled nor pushed for %d days; --pulled-since also leaves out younger images that nobody has pulled yet.", unusedDays)
}

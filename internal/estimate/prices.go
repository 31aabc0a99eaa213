package estimate

import (
	"transship/internal/document"
	"transship/internal/ref"
)

// AsOf is when the table below was written: public list prices as they were known then, not fetched from anywhere.
// Discounts, agreements and later changes are for the user to say.
const AsOf = "2026-11-27"

// GB is the bytes of a billed GB, in decimal units as everything else here; in binary ones, costs are 7 % lower.
const GB = 1_000_000_000

// Price is the price of a GB for the AWS regions or Artifact Registry locations that From matches.
type Price struct {
	From  ref.Glob
	PerGB float64 // US dollars; of storage, a month
}

// Prices are the user's own, which win over the table. The first that matches counts.
type Prices struct {
	Egress  []Price // by AWS region
	Storage []Price // by location of Artifact Registry
}

// listEgress is what AWS charges for a GB to the internet, the first 10 TB of a month: first by region, then by its part
// of the world.
var listEgress = [...]struct {
	route, region string
	perGB         float64
}{
	{"Singapore", "ap-southeast-1", 0.12}, {"Sydney", "ap-southeast-2", 0.114}, {"Tokyo", "ap-northeast-1", 0.114},
	{"Mumbai", "ap-south-1", 0.1093}, {"São Paulo", "sa-east-1", 0.15}, {"Cape Town", "af-south-1", 0.154},
	{"Bahrain", "me-south-1", 0.117}, {"GovCloud", "us-gov-*", 0.155},
	{"United States", "us-east-*", 0.09}, {"United States", "us-west-*", 0.09}, {"Canada", "ca-*", 0.09}, {"Europe", "eu-*", 0.09},
}

// listStorage is what Artifact Registry charges for a GB and month, beyond the first half GB of a billing account.
const listStorage = 0.10

// route is a row of the table: what it is called and the price; known is false where there is none.
type route struct {
	name  string
	perGB float64
	known bool
}

func (p Prices) egress(r ref.Registry) route {
	for _, own := range p.Egress {
		if own.From.Match(r.Region) {
			return route{own.From.String() + " to the internet (configured)", own.PerGB, true}
		}
	}
	for _, row := range listEgress {
		if g, err := ref.ParseGlob(row.region); err == nil && g.Match(r.Region) {
			return route{row.route + " to the internet", row.perGB, true}
		}
	}
	return route{name: r.Region + " to the internet: no price known"}
}

func (p Prices) storage(t ref.TargetRepository) float64 {
	for _, own := range p.Storage {
		if own.From.Match(t.Location) {
			return own.PerGB
		}
	}
	return listStorage
}

// asOf is the date of what the estimate says: of the table, and of the user's own prices.
func (p Prices) asOf() string {
	if len(p.Egress)+len(p.Storage) == 0 {
		return AsOf
	}
	return AsOf + ", but for those that are configured"
}

// cost is the price of bytes.
func cost(bytes int64, perGB float64) float64 { return float64(bytes) / GB * perGB }

// egress is what leaving AWS costs, one figure for each source and host of the target.
func (e *estimator) egress() {
	type pair struct {
		source ref.Registry
		target string
	}
	out := map[pair]*document.EstimatedEgress{}
	at := func(w way) *document.EstimatedEgress {
		k := pair{w.source, w.host}
		if out[k] == nil {
			r := e.Prices.egress(w.source)
			out[k] = &document.EstimatedEgress{Source: w.source, Target: w.host, Route: r.name, PerGB: r.perGB}
			if !r.known {
				e.unpriced = append(e.unpriced, w.source.Region)
			}
		}
		return out[k]
	}
	for w, n := range e.all.bytes {
		at(w).Bytes += n
	}
	for w, n := range e.naive() {
		at(w).NaiveBytes += n
	}
	for _, row := range out {
		row.Cost = cost(row.Bytes, row.PerGB)
		e.out.Egress = append(e.out.Egress, *row)
	}
}

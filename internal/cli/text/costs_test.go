package text

import (
	"io"
	"math"
	"testing"

	"transship/internal/document"
)

func anEstimate() document.Estimate {
	return document.Estimate{
		Header: header(document.KindEstimate, east),
		Move: document.EstimatedMove{References: 34, Manifests: 50, Blobs: 51, Bytes: 61_700_000_000, Mounts: 30, UniqueBytes: 70_200_000_000,
			PresentBytes: 8_500_000_000, ListedBytes: 312_000_000_000},
		Loads: []document.EstimatedLoad{
			{Side: "source", Where: east.Host(), Kind: "GetDownloadUrlForLayer", Requests: 51, PerMinute: 180_000, Seconds: 0.017},
			{Side: "source", Where: east.Host(), Kind: "S3 GetObject", Requests: 14_710},
			{Side: "target", Where: "my-gcp-project in us", Kind: "writes", Requests: 180_016, PerMinute: 18_000, Seconds: 600},
			{Side: "target", Where: "my-gcp-project in us", Kind: "requests", Requests: 180_018, PerMinute: 60_000, Seconds: 180},
		},
		Time: document.EstimatedTime{Bandwidth: 125_000_000, Origin: "assumed", TransferFor: 493.6, RequestsFor: 600, Total: 600, Bound: "quota",
			BoundBy: "writes of my-gcp-project in us, 18000 a minute", Machines: 1, AtBandwidths: []document.At{
				{Bandwidth: 12_500_000, Total: 4936, Bound: "bandwidth"}, {Bandwidth: 125_000_000, Total: 600, Bound: "quota"},
			}},
		Egress: []document.EstimatedEgress{{Source: east, Target: images.Host(), Route: "United States to the internet", Bytes: 61_700_000_000,
			PerGB: 0.09, Cost: 5.553, NaiveBytes: 290_000_000_000}},
		Storage: []document.EstimatedStorage{{Target: images, Before: 8_500_000_000, After: 70_200_000_000, PerGB: 0.1, Monthly: 7.02}},
		Savings: []document.EstimatedSaving{
			{Reason: document.SavingNotPulled, Flag: "--pulled-since 180d", Images: 12, Bytes: 20_000_000_000, Egress: 1.8, Monthly: 2},
			{Reason: document.SavingUntagged, Flag: "--tagged-only"},
			{Reason: document.SavingExpired, Flag: "--leave-out-expired", Unknown: "the lifecycle policies of ECR were not read"},
		},
		PricesAsOf: "2026-11-27", Assumptions: []string{"Nobody gave a bandwidth and none was measured: 1 Gbit/s a machine is assumed."},
	}
}

func evilEstimate() document.Estimate {
	e := anEstimate()
	e.Move.Bytes, e.Egress[0].Route, e.Egress[0].Cost = math.MaxInt64, hostile, 1e15
	e.Time.BoundBy, e.Time.Origin, e.Time.Total, e.Loads[0].Where, e.Loads[1].Kind = hostile, hostile, 1e9, hostile, hostile
	e.Savings[0].Flag, e.Savings[2].Unknown, e.PricesAsOf, e.Assumptions = hostile, hostile, hostile, []string{hostile}
	return e
}

func TestCosts(t *testing.T) {
	golden(t, "plan-costs", func(w io.Writer, o Options) {
		o.All = true
		newPage(w, o).willCost(anEstimate())
	})
	for v, want := range map[float64]string{0: "0.00 USD", 0.001: "<0.01 USD", 1234.5: "1,234.50 USD"} {
		if got := dollars(v); got != want {
			t.Errorf("%v is %q, want %q", v, got, want)
		}
	}
}

package transfer

import (
	"log/slog"
	"testing"

	"transship/internal/cloudsim/corpus"
	"transship/internal/cloudstest"
	"transship/internal/document"
	"transship/internal/ref"
)

// A copy of 2,000 images in 20 repositories that has nothing to do: the graph, the comparison and the counting.
func BenchmarkNothingToCopy(b *testing.B) {
	plan := planOf(b, corpus.Generate(corpus.Flat(20, 100)))
	var listing document.TargetInventory
	for _, i := range plan.Images {
		for _, r := range i.References {
			listing.Images = append(listing.Images, document.TargetImage{URI: i.Target, Digest: r.Digest, Tags: r.Tags})
		}
	}
	c := Config{
		Plan: plan, Listing: listing, Source: func(ref.Registry) Source { return nil },
		Now: cloudstest.Clock, Logger: slog.New(slog.DiscardHandler),
	}
	b.ReportAllocs()
	for b.Loop() {
		if r := Run(b.Context(), c); r.Skipped != 2000 {
			b.Fatalf("%+v", r)
		}
	}
}

package inventory

import (
	"fmt"
	"testing"

	"transship/internal/document"
	"transship/internal/ref"
)

// An inventory of 2,000 images in 20 repositories, on both sides, after an earlier one.
func BenchmarkRun(b *testing.B) {
	s := newSource(virginia)
	t := &fakeTarget{
		repositories: map[ref.TargetRepository]document.TargetRepository{apps: {URI: apps, Format: formatDocker}}, images: map[ref.TargetRepository][]document.TargetImage{},
	}
	for r := range 20 {
		for i := range 100 {
			repository, name := fmt.Sprintf("team/app-%02d", r), fmt.Sprintf("%d/%d", r, i)
			image := s.add(repository, name, i, fmt.Sprintf("v%d", i))
			t.images[apps] = append(t.images[apps], document.TargetImage{URI: apps.Image(repository), Digest: image.Digest, Tags: image.Tags})
		}
	}
	c := config(s)
	c.Target = t
	first, err := Run(b.Context(), c)
	if err != nil || len(first.Source.Images) != 2000 || len(first.Target.Images) != 2000 {
		b.Fatal(len(first.Source.Images), len(first.Target.Images), err)
	}
	c.Previous = func(each func(document.SourceImage)) {
		for _, i := range first.Source.Images {
			each(i)
		}
	}
	b.ReportAllocs()
	for b.Loop() {
		if _, err := Run(b.Context(), c); err != nil {
			b.Fatal(err)
		}
	}
}

package document

import (
	"fmt"
	"io"
	"path/filepath"
	"testing"
	"time"

	"github.com/opencontainers/go-digest"
)

// large is an inventory of 10 repositories of n/10 images.
func large(n int) Inventory {
	inv := Inventory{Header: NewHeader(KindInventory, migration)}
	pushed := time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)
	for i := range n {
		r := source.Repository(fmt.Sprintf("team/app-%02d", i*10/n))
		d := digest.FromString(fmt.Sprint(i))
		inv.Source.Images = append(inv.Source.Images, SourceImage{
			Name: r.Name, URI: r, Digest: d, Tags: []string{fmt.Sprintf("v%d", i)}, Size: 12, MediaType: "application/vnd.oci.image.manifest.v1+json",
			PushedAt: pushed, Status: StatusActive,
		})
		inv.Target.Images = append(inv.Target.Images, TargetImage{
			URI: target.Image(r.Name), Digest: d, Tags: []string{fmt.Sprintf("v%d", i)}, Size: 12, MediaType: "application/vnd.oci.image.manifest.v1+json",
		})
	}
	return inv
}

// An inventory of 1,000 images.
func BenchmarkWriteInventory(b *testing.B) {
	inv := large(1000)
	b.ReportAllocs()
	for b.Loop() {
		if err := Encode(io.Discard, &inv); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkReadInventory(b *testing.B) {
	path := filepath.Join(b.TempDir(), "inventory.json")
	if err := Write(path, large(1000)); err != nil {
		b.Fatal(err)
	}
	b.ReportAllocs()
	for b.Loop() {
		var inv Inventory
		if err := ReadFor(path, KindInventory, migration, &inv); err != nil {
			b.Fatal(err)
		}
	}
}

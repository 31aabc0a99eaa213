package oci

import (
	"io"
	"testing"

	"transship/internal/cloudsim"
	"transship/internal/cloudsim/arsim"
)

// real is the embedded clouds by the real clock, over memory, with nothing to wait for: what is measured is the cost.
func real(b *testing.B, opts cloudsim.Options) *world {
	b.Helper()
	opts.DisableHTTP2 = true
	opts.AR.ForgetBlobsOver = 1
	sim := cloudsim.New(opts)
	must(b, sim.StartMemory())
	w := &world{TB: b, sim: sim, transport: NewTransport(sim.Transport()), ecr: sim.ECR("123456789012", "us-east-1"), ar: sim.AR()}
	must(b, w.ar.CreateRepository("us", "my-project", "app-images", arsim.Repository{Format: "DOCKER"}))
	b.Cleanup(func() {
		w.transport.CloseIdleConnections()
		must(b, sim.Close())
	})
	return w
}

var ways = []struct {
	name   string
	change func(*Options)
}{
	{"single", single},
	{"ranges", func(*Options) {}},
}

func BenchmarkReadLargeBlob(b *testing.B) {
	for _, way := range ways {
		b.Run(way.name, func(b *testing.B) {
			w := real(b, cloudsim.Options{})
			c, blob := w.source(way.change), w.generated(1, 256*mib)
			b.SetBytes(blob.Size)
			b.ReportAllocs()
			for b.Loop() {
				r, err := c.OpenBlob(b.Context(), "app", blob)
				must(b, err)
				_, err = io.Copy(io.Discard, r)
				must(b, err)
				must(b, r.Close())
			}
		})
	}
}

// The whole way: read, hashed, and sent with one PUT.
func BenchmarkCopyLargeBlob(b *testing.B) {
	for _, way := range ways {
		b.Run(way.name, func(b *testing.B) {
			w := real(b, cloudsim.Options{})
			source, target, blob := w.source(way.change), w.target(), w.generated(1, 256*mib)
			b.SetBytes(blob.Size)
			b.ReportAllocs()
			for b.Loop() {
				opened := 0
				must(b, copyBlob(b.Context(), source, target, blob, &opened))
			}
		})
	}
}

// What a small blob costs: that there are large ones costs it nothing.
func BenchmarkReadSmallBlob(b *testing.B) {
	for _, way := range ways {
		b.Run(way.name, func(b *testing.B) {
			w := real(b, cloudsim.Options{})
			c, blob := w.source(way.change), w.generated(1, 64<<10)
			b.ReportAllocs()
			for b.Loop() {
				r, err := c.OpenBlob(b.Context(), "app", blob)
				must(b, err)
				_, err = io.Copy(io.Discard, r)
				must(b, err)
				must(b, r.Close())
			}
		})
	}
}

// Package cloudstest stands up embedded clouds and the product's view of them, for tests of what works on both. Only
// tests import it.
package cloudstest

import (
	"context"
	"log/slog"
	"testing"
	"time"

	"transship/internal/clouds"
	"transship/internal/cloudsim"
	"transship/internal/cloudsim/arsim"
	"transship/internal/cloudsim/corpus"
	"transship/internal/cloudsim/ecrsim"
	"transship/internal/ref"
)

// What the worlds of this package are called.
const (
	Account = "123456789012"
	Region  = "us-east-1"
	Token   = "ya29.embedded-token"
)

// Registry is the source of every world.
func Registry() ref.Registry { return ref.Registry{Account: Account, Region: Region} }

// Default is the target of every world; its repository exists.
func Default() ref.TargetImage {
	return ref.TargetImage{Repository: ref.TargetRepository{Location: "us", Project: "my-gcp-project", ID: "app-images"}}
}

// World is a pair of embedded clouds.
type World struct {
	Sim    *cloudsim.Sim
	ECR    *ecrsim.Registry
	AR     *arsim.Cloud
	Source *clouds.Source
	Target *clouds.Target
}

// New starts embedded clouds with a corpus in ECR and an empty repository in Artifact Registry. They end with the test.
func New(t testing.TB, o cloudsim.Options, spec corpus.Spec) *World {
	t.Helper()
	o.AR.Token = Token
	w := &World{Sim: cloudsim.New(o)}
	t.Cleanup(func() { _ = w.Sim.Close() })
	w.ECR, w.AR = w.Sim.ECR(Account, Region), w.Sim.AR()
	w.ECR.Load(corpus.Generate(spec))
	d := Default().Repository
	if err := w.AR.CreateRepository(d.Location, d.Project, d.ID, arsim.Repository{Format: "DOCKER"}); err != nil {
		t.Fatal(err)
	}
	if err := w.Sim.StartMemory(); err != nil {
		t.Fatal(err)
	}
	var err error
	if w.Source, err = clouds.OpenSource(t.Context(), Registry(), ref.HostForm{}, w.Options()); err != nil {
		t.Fatal(err)
	}
	if w.Target, err = clouds.OpenTarget(context.WithoutCancel(t.Context()), w.Options()); err != nil {
		t.Fatal(err)
	}
	return w
}

// Options reach the world.
func (w *World) Options() clouds.Options {
	return clouds.Options{
		Transport: w.Sim.Transport(), AWSKey: [2]string{"AKIDEMBEDDED", "embedded"}, Logger: slog.New(slog.DiscardHandler),
		Getenv: func(name string) string {
			if name == "GOOGLE_OAUTH_ACCESS_TOKEN" {
				return Token
			}
			return ""
		},
	}
}

// Clock is a clock that stands still.
func Clock() time.Time { return time.Date(2026, 11, 23, 12, 0, 0, 0, time.UTC) }

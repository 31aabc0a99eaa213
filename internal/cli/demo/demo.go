// Package demo is a pair of embedded clouds to show the product on: an ECR registry full of images of every kind, and
// an empty Artifact Registry, reached at their real names without leaving the process.
package demo

import (
	"time"

	"transship/internal/clouds"
	"transship/internal/cloudsim"
	"transship/internal/cloudsim/corpus"
)

// From and To are what is migrated.
const (
	From = "123456789012.dkr.ecr.us-east-1.amazonaws.com"
	To   = "us-docker.pkg.dev/my-gcp-project/app-images"
)

const (
	account = "123456789012"
	region  = "us-east-1"
	token   = "embedded" // the embedded clouds take it, nobody else does
	key     = "AKIDEMBEDDED00000000"
)

// roundTrip makes the demo take the time that a look at it needs.
const roundTrip = 15 * time.Millisecond

// Clouds are the embedded clouds.
type Clouds struct{ sim *cloudsim.Sim }

// Start starts them. Close ends them.
func Start() (*Clouds, error) {
	o := cloudsim.Options{RTT: roundTrip}
	o.AR.Token = token
	c := &Clouds{sim: cloudsim.New(o)}
	registry := c.sim.ECR(account, region)
	registry.Load(corpus.Generate(corpus.Demo()))
	registry.Guard()
	c.sim.AR()
	if err := c.sim.StartMemory(); err != nil {
		return nil, err
	}
	return c, nil
}

// Close ends the clouds.
func (c *Clouds) Close() error { return c.sim.Close() }

// Options reach the embedded clouds: the product itself is the same.
func (c *Clouds) Options() clouds.Options {
	return clouds.Options{
		Transport: c.sim.Transport(),
		AWSKey:    [2]string{key, "embedded"},
		Getenv: func(name string) string {
			if name == "GOOGLE_OAUTH_ACCESS_TOKEN" {
				return token
			}
			return ""
		},
	}
}

// Requests is how many requests the clouds have answered so far.
func (c *Clouds) Requests() int { return c.sim.Counts().Total() }

// BytesRead is how many bytes of blobs have left ECR so far.
func (c *Clouds) BytesRead() int64 { return c.sim.Counts().Tally("s3.get").Sent }

package cloudsim

import (
	"iter"
	"maps"
	"net/http"
	"sync"

	"transship/internal/cloudsim/arsim"
	"transship/internal/cloudsim/ecrsim"
)

// clouds are the registries of a Sim, made on first use.
type clouds struct {
	cloudsMu sync.Mutex
	regions  []*ecrsim.Region
	ar       *arsim.Cloud
}

// ECR returns the registry of account, 12 digits, in region, made on first use with Options.ECR: its data plane,
// the region's API and S3, and STS answer from then on. The first account of a region, or the one whose access
// keys were told to the registry, is who calls its API.
func (s *Sim) ECR(account, region string) *ecrsim.Registry {
	s.cloudsMu.Lock()
	defer s.cloudsMu.Unlock()
	r := s.region(region).Registry(account)
	handlers := r.Handlers()
	sts := ecrsim.STS{Caller: s.caller}
	for _, host := range r.Region().STSHosts() {
		handlers[host] = sts
	}
	s.builtin(maps.All(handlers))
	return r
}

// AR returns the embedded Artifact Registry, made on first use with Options.AR: the API, the token endpoint and the data
// planes of all locations answer from then on.
func (s *Sim) AR() *arsim.Cloud {
	s.cloudsMu.Lock()
	defer s.cloudsMu.Unlock()
	if s.ar != nil {
		return s.ar
	}
	opts := s.opts.AR
	if opts.Now == nil {
		opts.Now = s.opts.Now
	}
	if opts.Logger == nil {
		opts.Logger = s.log
	}
	s.ar = arsim.New(opts)
	hosts := []string{
		arsim.APIHost, arsim.OAuthHost, "artifactregistry.*.rep.googleapis.com",
		"*-docker.pkg.dev", "docker.*.rep.pkg.dev",
	}
	for _, legacy := range []string{"gcr.io", "us.gcr.io", "eu.gcr.io", "asia.gcr.io"} {
		if s.ar.Handler(legacy) != nil {
			hosts = append(hosts, legacy)
		}
	}
	s.builtin(func(yield func(string, http.Handler) bool) {
		for _, host := range hosts {
			if !yield(host, s.ar) {
				return
			}
		}
	})
	return s.ar
}

// builtin registers a cloud's handlers, below those of Handle.
func (s *Sim) builtin(handlers iter.Seq2[string, http.Handler]) {
	for host, h := range handlers {
		s.names.set(&s.names.builtin, host, h)
	}
}

func (s *Sim) region(name string) *ecrsim.Region {
	for _, g := range s.regions {
		if g.Name() == name {
			return g
		}
	}
	opts := s.opts.ECR
	if opts.Now == nil {
		opts.Now = s.opts.Now
	}
	if opts.Logger == nil {
		opts.Logger = s.log
	}
	g := ecrsim.NewRegion(name, opts)
	s.regions = append(s.regions, g)
	return g
}

// caller is who an access key belongs to, in the first region that knows it.
func (s *Sim) caller(accessKey string) (account, arn string, ok bool) {
	s.cloudsMu.Lock()
	defer s.cloudsMu.Unlock()
	for _, g := range s.regions {
		if r, ok := g.Caller(accessKey); ok {
			return r.Account(), r.CallerARN(), true
		}
	}
	return "", "", false
}

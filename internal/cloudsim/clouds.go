package cloudsim

import (
	"iter"
	"maps"
	"net/http"
	"sync"

	"transship/internal/cloudsim/arsim"
	"transship/internal/cloudsim/ecrsim"
	"transship/internal/cloudsim/iamsim"
	"transship/internal/cloudsim/sqssim"
)

// clouds are the registries of a Sim, made on first use.
type clouds struct {
	cloudsMu sync.Mutex
	regions  []*ecrsim.Region
	ar       *arsim.Cloud
	sqs      map[string]*sqssim.Service
	aws      *iamsim.AWS
	google   *iamsim.Google
}

// ECR returns the registry of account, 12 digits, in region, made on first use with Options.ECR: its data plane,
// the region's API and S3, and STS answer from then on. The first account of a region, or the one whose access
// keys were told to the registry, is who calls its API.
func (s *Sim) ECR(account, region string) *ecrsim.Registry {
	s.cloudsMu.Lock()
	defer s.cloudsMu.Unlock()
	r := s.region(region).Registry(account)
	handlers := r.Handlers()
	aws, _ := s.identities()
	for _, host := range r.Region().STSHosts() {
		handlers[host] = iamsim.STS{AWS: aws}
	}
	handlers["portal.sso."+region+".amazonaws.com"] = iamsim.SSO{AWS: aws}
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
	_, google := s.identities()
	google.IssueToken, google.TokenGood = s.ar.IssueToken, s.ar.TokenGood
	hosts := []string{
		arsim.APIHost, "artifactregistry.*.rep.googleapis.com",
		"*-docker.pkg.dev", "docker.*.rep.pkg.dev",
	}
	for _, legacy := range []string{"gcr.io", "us.gcr.io", "eu.gcr.io", "asia.gcr.io"} {
		if s.ar.Handler(legacy) != nil {
			hosts = append(hosts, legacy)
		}
	}
	s.builtin(maps.All(map[string]http.Handler{
		arsim.ProjectsHost:   s.ar.Projects(),
		arsim.OAuthHost:      iamsim.GoogleOAuth{Google: google, Tokens: s.ar.OAuth()},
		iamsim.GoogleSTSHost: iamsim.GoogleSTS{Google: google},
		iamsim.GoogleIAMHost: iamsim.GoogleIAM{Google: google},
	}))
	s.builtin(func(yield func(string, http.Handler) bool) {
		for _, host := range hosts {
			if !yield(host, s.ar) {
				return
			}
		}
	})
	return s.ar
}

// SQS returns the queues of region, made on first use.
func (s *Sim) SQS(region string) *sqssim.Service {
	s.cloudsMu.Lock()
	defer s.cloudsMu.Unlock()
	if q := s.sqs[region]; q != nil {
		return q
	}
	if s.sqs == nil {
		s.sqs = map[string]*sqssim.Service{}
	}
	q := sqssim.New(region, s.opts.Now)
	s.sqs[region] = q
	s.builtin(maps.All(map[string]http.Handler{q.Host(): q}))
	return q
}

// AWS returns the users and roles of the embedded AWS, whose keys ECR, STS and SSO take.
func (s *Sim) AWS() *iamsim.AWS {
	s.cloudsMu.Lock()
	defer s.cloudsMu.Unlock()
	aws, _ := s.identities()
	return aws
}

// Google returns the service accounts and workload identity pools of the embedded Google. Its services answer once AR was
// called.
func (s *Sim) Google() *iamsim.Google {
	s.cloudsMu.Lock()
	defer s.cloudsMu.Unlock()
	_, google := s.identities()
	return google
}

// identities makes who is who on first use. The caller holds cloudsMu.
func (s *Sim) identities() (*iamsim.AWS, *iamsim.Google) {
	if s.aws == nil {
		s.aws, s.google = iamsim.New(s.opts.Now)
		s.aws.Fallback = s.caller
	}
	return s.aws, s.google
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
	if opts.IAM == nil {
		opts.IAM, _ = s.identities()
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

package gar

import (
	"context"
	"errors"
	"net/http"
	"strings"
	"sync"

	"transship/internal/registry"
)

// Keyring gives the credential for each registry host and for the API: one for all of them, or, where there are none but
// docker's, that of the host. It is safe for concurrent use.
type Keyring struct {
	all    *TokenSource // nil where there is one a host
	docker *dockerConfig
	wrap   func(*TokenSource) *TokenSource // what is made of docker's, such as an impersonation

	mu    sync.Mutex
	hosts map[string]*TokenSource
}

// NewKeyring returns a keyring that has s for everything.
func NewKeyring(s *TokenSource) *Keyring { return &Keyring{all: s} }

// FindCredentials returns the credentials that this machine has for Artifact Registry, by the first of these that there
// is: the access token of EnvToken; the Application Default Credentials in all their forms; what docker's configuration
// holds for a registry host. Where Impersonate is set, they are used to act as that service account. Nothing is asked of
// Google yet. The error is of class Unauthorized where there are none, also for one of o.Hosts.
func FindCredentials(ctx context.Context, o CredentialOptions) (*Keyring, error) {
	s, err := Credentials(ctx, o)
	if err == nil {
		return NewKeyring(s), nil
	}
	if !isAbsent(err) {
		return nil, err
	}
	docker := openDocker(o)
	if configured, dockerErr := docker.configured(); !configured {
		return nil, errors.Join(dockerErr, err)
	}
	k := &Keyring{docker: docker, hosts: map[string]*TokenSource{}, wrap: func(s *TokenSource) *TokenSource { return s }}
	if o.Impersonate != "" {
		k.wrap = func(s *TokenSource) *TokenSource { return actAs(s, o) }
	}
	for _, host := range o.Hosts {
		if _, err := k.Host(ctx, host); err != nil {
			return nil, err
		}
	}
	return k, nil
}

// Host returns the credential for a registry host, such as us-docker.pkg.dev. Docker's credential helper may be run. The
// error is of class Unauthorized where docker has none for it.
func (k *Keyring) Host(ctx context.Context, host string) (*TokenSource, error) {
	if k.all != nil {
		return k.all, nil
	}
	k.mu.Lock()
	defer k.mu.Unlock()
	if s := k.hosts[host]; s != nil {
		return s, nil
	}
	s, err := k.docker.source(ctx, host)
	if err != nil {
		return nil, err
	}
	s = k.wrap(s)
	k.hosts[host] = s
	return s, nil
}

// api returns the credential for a request to the API: that of the host on which the repository that the request is about
// has its images.
func (k *Keyring) api(req *http.Request) (*TokenSource, error) {
	s := k.all
	if s == nil {
		var err error
		if s, err = k.Host(req.Context(), hostOf(req.URL.Path)); err != nil {
			return nil, err
		}
	}
	if s.dataOnly {
		return nil, &registry.Error{Side: registry.Target, Op: "authorize a request to", Object: req.URL.Host, Class: registry.Unauthorized,
			Err:  errors.New("docker's credentials are a user name and a password, which only the registry itself takes"),
			Hint: hintCredentials}
	}
	return s, nil
}

// hostOf returns the registry host of an API path such as /v1/projects/P/locations/us/repositories/R.
func hostOf(path string) string {
	_, rest, _ := strings.Cut(path, "/locations/")
	location, rest, _ := strings.Cut(rest, "/")
	_, id, _ := strings.Cut(rest, "repositories/")
	id, _, _ = strings.Cut(id, "/")
	if id == "gcr.io" || strings.HasSuffix(id, ".gcr.io") {
		return id // the repository of a legacy host. FACTS B1
	}
	return location + "-docker.pkg.dev"
}

// Hint says what to do when a credential is refused for good.
func (k *Keyring) Hint() string {
	if k.all != nil {
		return k.all.Hint()
	}
	return hintDocker
}

// String says where the credentials come from, without showing them.
func (k *Keyring) String() string {
	if k.all != nil {
		return k.all.Origin()
	}
	return "docker's configuration " + k.docker.path
}

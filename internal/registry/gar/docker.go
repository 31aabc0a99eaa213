package gar

import (
	"context"
	"encoding/base64"
	"errors"
	"fmt"
	"os/exec"
	"path/filepath"
	"strings"
	"time"

	"cloud.google.com/go/auth/credentials"
	dockerauth "oras.land/oras-go/v2/registry/remote/auth"
	docker "oras.land/oras-go/v2/registry/remote/credentials"

	"transship/internal/registry"
)

const (
	hintDocker = `sign docker in again ("gcloud auth configure-docker HOST", or "docker login" with the user oauth2accesstoken), or better, ` + hintCredentials
	// helperLife is for how long a token of a credential helper is taken to be good: it does not say. Halfway, the helper is
	// asked again, which costs a process and mostly no request.
	helperLife = 20 * time.Minute
)

// dockerConfig is docker's configuration file: what "docker login" and "gcloud auth configure-docker" left there. It is
// read anew each time, since somebody may have signed in again meanwhile.
type dockerConfig struct {
	path    string // empty where no home folder is known
	options CredentialOptions
}

func openDocker(o CredentialOptions) *dockerConfig {
	c := &dockerConfig{options: o}
	if o.Getenv == nil {
		return c
	}
	folder := o.Getenv("DOCKER_CONFIG")
	for _, home := range []string{"HOME", "USERPROFILE"} {
		if v := o.Getenv(home); folder == "" && v != "" {
			folder = filepath.Join(v, ".docker")
		}
	}
	if folder != "" {
		c.path = filepath.Join(folder, "config.json")
	}
	return c
}

func (c *dockerConfig) open() (*docker.DynamicStore, error) {
	store, err := docker.NewStore(c.path, docker.StoreOptions{})
	if err != nil {
		return nil, &registry.Error{Side: registry.Target, Op: "read docker's configuration", Object: c.path, Class: registry.Unauthorized,
			Err: &cause{oneLine(err), err}, Hint: "mend or remove the file, or " + hintCredentials}
	}
	return store, nil
}

// configured reports whether docker was ever told how to sign in anywhere.
func (c *dockerConfig) configured() (bool, error) {
	if c.path == "" {
		return false, nil
	}
	store, err := c.open()
	if err != nil {
		return false, err
	}
	return store.IsAuthConfigured(), nil
}

// get returns what docker has for host.
func (c *dockerConfig) get(ctx context.Context, host string) (dockerauth.Credential, error) {
	store, err := c.open()
	if err != nil {
		return dockerauth.EmptyCredential, err
	}
	found, err := store.Get(ctx, host)
	e := &registry.Error{Side: registry.Target, Op: "get docker's credentials for", Object: host, Class: registry.Unauthorized, Hint: hintDocker}
	if failed, ok := errors.AsType[*exec.Error](err); ok {
		e.Err = &cause{fmt.Sprintf("%s names the credential helper %s, which is not on the PATH", c.path, failed.Name), err}
		e.Hint = "install it or put its folder on the PATH (docker-credential-gcloud comes with the Google Cloud CLI), or better, " + hintCredentials
		return found, e
	}
	switch {
	case ctx.Err() != nil:
		e.Class, e.Hint, e.Err = registry.Canceled, "", ctx.Err()
	case err != nil:
		e.Err = &cause{c.path + ": " + oneLine(err), err}
	case found == dockerauth.EmptyCredential:
		e.Err = fmt.Errorf("there are no Application Default Credentials, and %s has none for it", c.path)
		e.Hint = hintCredentials + `; or run "gcloud auth configure-docker ` + host + `"`
	default:
		return found, nil
	}
	return found, e
}

// source makes a TokenSource of what docker has for host. A service-account key is as good as Application Default
// Credentials; an access token serves the registry and the API; any other password only the registry.
func (c *dockerConfig) source(ctx context.Context, host string) (*TokenSource, error) {
	found, err := c.get(ctx, host)
	if err != nil {
		return nil, err
	}
	origin := "docker's configuration " + c.path
	if key, ok := serviceAccountKey(found); ok {
		s, err := c.keySource(key)
		if err != nil {
			return nil, credentialsError(ctx, "use the service-account key that docker has for "+host, err)
		}
		s.origin = origin
		return s, nil
	}
	s := &TokenSource{log: logger(c.options.Logger), hint: strings.ReplaceAll(hintDocker, "HOST", host), origin: origin}
	s.dataOnly = found.AccessToken == "" && !isTokenUser(found.Username)
	s.fetch = func(ctx context.Context) (token, error) {
		found, err := c.get(ctx, host)
		if err != nil {
			return token{}, err
		}
		return dockerToken(found, host)
	}
	_, err = dockerToken(found, host)
	return s, err
}

// keySource is the source of a service-account key.
func (c *dockerConfig) keySource(key []byte) (*TokenSource, error) {
	detected, err := credentials.NewCredentialsFromJSON(credentials.ServiceAccount, key, &credentials.DetectOptions{Scopes: []string{scope}, Client: c.options.client()})
	if err != nil {
		return nil, errors.New("it is not a service-account key") // what the library says may quote it
	}
	s := &TokenSource{log: logger(c.options.Logger), hint: "the key may have been deleted or its account disabled: " + hintDocker}
	s.fetch = func(ctx context.Context) (token, error) { return fetchToken(ctx, detected, s.log) }
	return s, nil
}

// isTokenUser reports whether the password of that user is an access token. FACTS B5.
func isTokenUser(user string) bool {
	return user == "oauth2accesstoken" || user == "_token" || user == "_dcgcloud_token"
}

func dockerToken(found dockerauth.Credential, host string) (token, error) {
	now := time.Now()
	switch {
	case found.AccessToken != "":
		return newToken(found.AccessToken, now, now.Add(helperLife)), nil
	case isTokenUser(found.Username):
		return newToken(found.Password, now, now.Add(helperLife)), nil
	case found.Username != "" && found.Password != "":
		t := newToken(base64.StdEncoding.EncodeToString([]byte(found.Username+":"+found.Password)), now, now.Add(helperLife))
		t.basic = true
		return t, nil
	}
	return token{}, &registry.Error{Side: registry.Target, Op: "use docker's credentials for", Object: host, Class: registry.Unauthorized,
		Err: errors.New("they are an identity token, which Artifact Registry does not take"), Hint: strings.ReplaceAll(hintDocker, "HOST", host)}
}

// serviceAccountKey returns the key of the users _json_key and _json_key_base64. FACTS B5.
func serviceAccountKey(found dockerauth.Credential) ([]byte, bool) {
	key := []byte(found.Password)
	switch found.Username {
	case "_json_key_base64":
		decoded, err := base64.StdEncoding.DecodeString(strings.Join(strings.Fields(found.Password), ""))
		if err != nil {
			return key, true // whoever reads it says that it is none
		}
		key = decoded
	case "_json_key":
	default:
		return nil, false
	}
	return key, true
}

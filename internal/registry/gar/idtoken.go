package gar

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"path"
	"strings"
	"sync"

	"cloud.google.com/go/auth"
	"cloud.google.com/go/auth/credentials"
	"cloud.google.com/go/auth/credentials/idtoken"
	"cloud.google.com/go/auth/credentials/impersonate"
)

// ErrNoIDToken says that Google has no ID token for whoever runs this: there are no Google credentials, or they are of a
// form that has none.
var ErrNoIDToken = errors.New("Google gives no ID token") //nolint:staticcheck,revive // Google is a name

// idFile is what of a file of Application Default Credentials matters for ID tokens.
type idFile struct {
	Type             string          `json:"type"`
	Email            string          `json:"client_email"`
	Key              string          `json:"private_key"`
	KeyID            string          `json:"private_key_id"`
	TokenURL         string          `json:"token_uri"`
	ImpersonationURL string          `json:"service_account_impersonation_url"`
	Delegates        []string        `json:"delegates"`
	Source           json.RawMessage `json:"source_credentials"`
}

// IDTokens returns a function that gives Google's ID token, signed by Google, of the service account that o leads to:
// the one to act as, the Application Default Credentials' own, or that of the machine (GKE, Cloud Run, GCE). AWS takes
// it for a web identity. The function's error is ErrNoIDToken where there is none; it keeps a token while it is good,
// and is safe for concurrent use.
func IDTokens(o CredentialOptions) func(ctx context.Context, audience string) (string, error) {
	var mu sync.Mutex
	made := map[string]auth.TokenProvider{}
	return func(ctx context.Context, audience string) (string, error) {
		mu.Lock()
		defer mu.Unlock()
		p := made[audience]
		if p == nil {
			var err error
			if p, err = inTime(ctx, func() (auth.TokenProvider, error) { return o.idTokens(ctx, audience) }); err != nil {
				return "", err
			}
			p = auth.NewCachedTokenProvider(p, &auth.CachedTokenProviderOptions{DisableAsyncRefresh: true})
			made[audience] = p
		}
		t, err := p.Token(ctx)
		if err != nil {
			return "", &cause{"get an ID token of Google's: " + oneLine(err), err}
		}
		return t.Value, nil
	}
}

func (o CredentialOptions) idTokens(ctx context.Context, audience string) (auth.TokenProvider, error) {
	if o.Impersonate != "" {
		base, err := o.own(ctx)
		if err != nil {
			return nil, fmt.Errorf("%w: %w", ErrNoIDToken, err)
		}
		return o.impersonatedID(base, o.Impersonate, nil, audience)
	}
	b := applicationFile()
	if b == nil {
		if !credentials.OnGCE() {
			return nil, fmt.Errorf("%w: there are no Application Default Credentials, and no metadata server", ErrNoIDToken)
		}
		return idtoken.NewCredentials(&idtoken.Options{Audience: audience})
	}
	var file idFile
	if json.Unmarshal(b, &file) != nil {
		return nil, fmt.Errorf("%w: the Application Default Credentials are not JSON", ErrNoIDToken)
	}
	switch credentials.CredType(file.Type) {
	case credentials.ServiceAccount:
		return o.serviceAccountID(file, audience)
	case credentials.ImpersonatedServiceAccount:
		return o.fileID(file, file.Source, audience)
	case credentials.ExternalAccount:
		if file.ImpersonationURL != "" {
			return o.fileID(file, withoutImpersonation(b), audience)
		}
	}
	return nil, fmt.Errorf("%w for Application Default Credentials of the form %q: let them act as a service account (impersonate)", ErrNoIDToken, file.Type)
}

func (o CredentialOptions) serviceAccountID(f idFile, audience string) (auth.TokenProvider, error) {
	if f.TokenURL == "" {
		f.TokenURL = "https://oauth2.googleapis.com/token"
	}
	client := o.client()
	if client == nil {
		client = &http.Client{Transport: NewTransport(), Timeout: attemptTimeout}
	}
	return auth.New2LOTokenProvider(&auth.Options2LO{
		Email: f.Email, PrivateKey: []byte(f.Key), PrivateKeyID: f.KeyID, TokenURL: f.TokenURL, UseIDToken: true, Client: client,
		PrivateClaims: map[string]any{"target_audience": audience},
	})
}

// fileID is the ID token of the service account that a file's credentials act as, made by who they are before: the
// account itself need not be allowed to act as itself.
func (o CredentialOptions) fileID(f idFile, before []byte, audience string) (auth.TokenProvider, error) {
	var inner struct{ Type credentials.CredType }
	if err := json.Unmarshal(before, &inner); err != nil {
		return nil, errors.New("the Application Default Credentials do not say who acts as the service account")
	}
	found, err := credentials.NewCredentialsFromJSON(inner.Type, before, &credentials.DetectOptions{Scopes: []string{scope}, Client: o.client()})
	if err != nil {
		return nil, err
	}
	base := &TokenSource{log: logger(o.Logger), hint: hintCredentials}
	base.fetch = func(ctx context.Context) (token, error) { return fetchToken(ctx, found, base.log) }
	account, _, _ := strings.Cut(path.Base(f.ImpersonationURL), ":")
	return o.impersonatedID(base, account, f.Delegates, audience)
}

func (o CredentialOptions) impersonatedID(base *TokenSource, account string, delegates []string, audience string) (auth.TokenProvider, error) {
	return impersonate.NewIDTokenCredentials(&impersonate.IDTokenOptions{
		Audience: audience, TargetPrincipal: account, Delegates: delegates, IncludeEmail: true, Client: o.iamClient(base),
	})
}

// withoutImpersonation returns a file of credentials as if it led to no service account.
func withoutImpersonation(b []byte) []byte {
	var file map[string]json.RawMessage
	if json.Unmarshal(b, &file) != nil {
		return b
	}
	delete(file, "service_account_impersonation_url")
	delete(file, "service_account_impersonation")
	out, err := json.Marshal(file)
	if err != nil {
		return b
	}
	return out
}

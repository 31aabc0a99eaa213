package iamsim

import (
	"context"
	"encoding/json"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	v4 "github.com/aws/aws-sdk-go-v2/aws/signer/v4"
)

const (
	pool = "//iam.googleapis.com/projects/1/locations/global/workloadIdentityPools/p/providers/aws"
	// emptyHash is that of no body.
	emptyHash = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"
)

// signed is a GetCallerIdentity request, as the AWS SDK's own signer signs it, in the form that Google takes.
func signed(t *testing.T, k Keys, resource string, spoil func(*http.Request)) string {
	t.Helper()
	req, err := http.NewRequestWithContext(t.Context(), http.MethodPost, "https://sts.us-east-1.amazonaws.com?Action=GetCallerIdentity&Version=2011-06-15", nil)
	if err != nil {
		t.Fatal(err)
	}
	req.Header.Set("X-Goog-Cloud-Target-Resource", resource)
	c := aws.Credentials{AccessKeyID: k.AccessKeyID, SecretAccessKey: k.SecretAccessKey, SessionToken: k.SessionToken}
	if err := v4.NewSigner().SignHTTP(context.WithoutCancel(t.Context()), c, req, emptyHash, "sts", "us-east-1", time.Now()); err != nil {
		t.Fatal(err)
	}
	if spoil != nil {
		spoil(req)
	}
	type header struct {
		Key   string `json:"key"`
		Value string `json:"value"`
	}
	var headers []header
	for key := range req.Header {
		headers = append(headers, header{key, req.Header.Get(key)})
	}
	b, err := json.Marshal(map[string]any{"url": req.URL.String(), "method": req.Method, "headers": headers})
	if err != nil {
		t.Fatal(err)
	}
	return url.QueryEscape(string(b))
}

func TestFederation(t *testing.T) {
	a, g := New(time.Now)
	g.AddPool(Pool{Audience: pool, Account: "123456789012"})
	a.AddRole(Role{ARN: "arn:aws:iam::123456789012:role/path/task"})
	good, err := a.Assume("arn:aws:iam::123456789012:role/path/task", "s", time.Hour)
	if err != nil {
		t.Fatal(err)
	}
	ended, err := a.Assume("arn:aws:iam::123456789012:role/path/task", "s", -time.Hour)
	if err != nil {
		t.Fatal(err)
	}
	forged := good
	forged.SecretAccessKey = "x"
	for name, c := range map[string]struct{ token, fails string }{
		"good":             {signed(t, good, pool, nil), ""},
		"another's secret": {signed(t, forged, pool, nil), "signature"},
		"ended":            {signed(t, ended, pool, nil), "invalid security credentials"},
		"other account":    {signed(t, a.AddUser("210987654321", "u"), pool, nil), "attribute condition"},
		"for another pool": {signed(t, good, "//iam.googleapis.com/x", nil), "another pool"},
		"changed later":    {signed(t, good, "x", func(r *http.Request) { r.Header.Set("X-Goog-Cloud-Target-Resource", pool) }), "signature"},
		"another action":   {signed(t, good, pool, func(r *http.Request) { r.URL.RawQuery = "Action=GetSessionToken" }), "GetCallerIdentity"},
		"another host":     {signed(t, good, pool, func(r *http.Request) { r.URL.Host = "sts.example.com" }), "GetCallerIdentity"},
		"no JSON":          {"x", "JSON"},
	} {
		owner, err := g.federate(url.Values{"audience": {pool}, "subject_token": {c.token}, "subject_token_type": {"urn:ietf:params:aws:token-type:aws4_request"}})
		switch {
		case c.fails == "":
			if want := "/subject/arn:aws:sts::123456789012:assumed-role/task/s"; err != nil || !strings.HasSuffix(owner, want) {
				t.Errorf("%s: %q, %v", name, owner, err)
			}
		case err == nil || !strings.Contains(err.Error(), c.fails):
			t.Errorf("%s: %q, %v", name, owner, err)
		}
	}
}

func TestIDTokensAreChecked(t *testing.T) {
	now := time.Now()
	_, g := New(func() time.Time { return now })
	token := g.IDToken("a@b", "aud")
	if c, err := g.verify(token); err != nil || c.Audience != "aud" || c.Email != "a@b" || c.Subject != Subject("a@b") {
		t.Errorf("%+v, %v", c, err)
	}
	_, other := New(time.Now)
	for _, wrong := range []string{other.IDToken("a@b", "aud"), token + "A", "x", ""} {
		if c, err := g.verify(wrong); err == nil {
			t.Errorf("%q passes as %+v", wrong, c)
		}
	}
	now = now.Add(time.Hour)
	if _, err := g.verify(token); err == nil {
		t.Error("it never ends")
	}
}

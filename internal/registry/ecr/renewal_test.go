package ecr

import (
	"bytes"
	"log/slog"
	"net/http"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"transship/internal/cloudsim"
	"transship/internal/cloudsim/ecrsim"
	"transship/internal/cloudsim/iamsim"
	"transship/internal/ref"
	"transship/internal/registry"
)

// renewing is a registry that is reached with an assumed role, in a bubble.
func renewing(t *testing.T, log *slog.Logger) (*cloudsim.Sim, *Registry) {
	t.Helper()
	sim := cloudsim.New(cloudsim.Options{})
	if err := sim.StartMemory(); err != nil {
		t.Fatal(err)
	}
	sim.ECR(home.Account, home.Region)
	sim.AWS().AddRole(iamsim.Role{ARN: readerRole, Trust: []string{away}})
	k := sim.AWS().AddUser(away, "ci")
	reg, err := Load(t.Context(), home, Options{HTTPClient: sim.HTTPClient(), AccessKey: k.AccessKeyID, SecretKey: k.SecretAccessKey, RoleARN: readerRole, Logger: log})
	if err != nil {
		t.Fatal(err)
	}
	return sim, reg
}

func TestRoleIsRenewed(t *testing.T) {
	isolate(t, nil)
	synctest.Test(t, func(t *testing.T) {
		var log bytes.Buffer
		sim, reg := renewing(t, slog.New(slog.NewTextHandler(&log, &slog.HandlerOptions{Level: slog.LevelDebug})))
		defer sim.Close()
		list := func() {
			t.Helper()
			if err := lastError(reg.Repositories(t.Context())); err != nil {
				t.Fatal(err)
			}
		}
		sts := func(want int) {
			t.Helper()
			if n := sim.Counts().Of("sts"); n != want {
				t.Fatalf("%d requests to STS, want %d", n, want)
			}
		}
		list()
		list()
		sts(1)
		time.Sleep(54 * time.Minute)
		list()
		sts(1)
		time.Sleep(2 * time.Minute) // less than five minutes are left
		list()
		sts(2)
		sim.AWS().EndAll() // somebody ends all sessions: they themselves do not say so
		list()
		sts(3)
		// The token of the data plane goes through the same.
		time.Sleep(10 * time.Hour)
		req, _ := http.NewRequestWithContext(t.Context(), http.MethodGet, "https://"+home.Host()+"/v2/", nil)
		if err := reg.Authorizer().Authorize(t.Context(), req); err != nil {
			t.Fatal(err)
		}
		sts(4)
		if text := log.String(); strings.Contains(text, "secret/") || strings.Contains(text, "session/") {
			t.Errorf("a secret is in the log:\n%s", text)
		}
	})
}

func TestRoleThatStopsWorking(t *testing.T) {
	isolate(t, nil)
	synctest.Test(t, func(t *testing.T) {
		sim, reg := renewing(t, nil)
		defer sim.Close()
		if err := lastError(reg.Repositories(t.Context())); err != nil {
			t.Fatal(err)
		}
		sim.AWS().AddRole(iamsim.Role{ARN: readerRole}) // it trusts nobody any more
		sim.AWS().EndAll()
		start := time.Now()
		err := lastError(reg.Repositories(t.Context()))
		if !registry.IsClass(err, registry.Denied) || !strings.Contains(err.Error(), readerRole) {
			t.Errorf("got %v", err)
		}
		if n := sim.Counts().Of("sts"); n != 2 || time.Since(start) > time.Minute {
			t.Errorf("%d requests to STS in %s", n, time.Since(start))
		}
	})
}

// TestKeysThatAreRefusedForGood: ECR says of the new keys too that they have expired. That ends, and soon.
func TestKeysThatAreRefusedForGood(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := always(400, apiError("ExpiredTokenException", "The security token included in the request is expired"))
		start := time.Now()
		err := lastError(scripted(s).Repositories(t.Context()))
		if !registry.IsClass(err, registry.Unauthorized) || time.Since(start) > time.Minute || s.requests() > 10 {
			t.Errorf("%d requests in %s: %v", s.requests(), time.Since(start), err)
		}
	})
}

// TestHosts: all forms of FACTS A3 lead to the names that the API and the data plane have.
func TestHosts(t *testing.T) {
	isolate(t, keys)
	for host, api := range map[string]string{
		"123456789012.dkr.ecr.us-east-1.amazonaws.com":                "api.ecr.us-east-1.amazonaws.com",
		"123456789012.dkr.ecr-fips.us-gov-west-1.amazonaws.com":       "api.ecr-fips.us-gov-west-1.amazonaws.com",
		"123456789012.dkr-ecr.eu-west-1.on.aws":                       "ecr.eu-west-1.api.aws",
		"123456789012.dkr-ecr-fips.us-east-1.on.aws":                  "ecr-fips.us-east-1.api.aws",
		"123456789012.dkr.ecr.us-gov-west-1.amazonaws.com":            "api.ecr.us-gov-west-1.amazonaws.com",
		"123456789012.dkr.ecr.cn-north-1.amazonaws.com.cn":            "api.ecr.cn-north-1.amazonaws.com.cn",
		"123456789012.dkr.ecr.cn-north-1.on.amazonwebservices.com.cn": "ecr.cn-north-1.api.amazonwebservices.com.cn",
		"123456789012.dkr.ecr.eusc-de-east-1.amazonaws.eu":            "api.ecr.eusc-de-east-1.amazonaws.eu",
	} {
		r, form, err := ref.ParseRegistry(host)
		if err != nil {
			t.Error(err)
			continue
		}
		if r.HostIn(form) != host {
			t.Errorf("%s: the data plane is %s", host, r.HostIn(form))
		}
		sim := cloudsim.New(cloudsim.Options{})
		if _, err := sim.Start(); err != nil {
			t.Fatal(err)
		}
		sim.ECR(r.Account, r.Region).CreateRepository("app", ecrsim.RepositorySettings{})
		var asked []string
		reg, err := Load(t.Context(), r, Options{Form: form, HTTPClient: roundTrip(func(req *http.Request) (*http.Response, error) {
			asked = append(asked, req.URL.Host)
			return sim.HTTPClient().Do(req)
		})})
		if err != nil {
			t.Fatal(err)
		}
		if err := lastError(reg.Repositories(t.Context())); err != nil || len(asked) == 0 || asked[0] != api {
			t.Errorf("%s: asked %q, want %s: %v", host, asked, api, err)
		}
		req, _ := http.NewRequestWithContext(t.Context(), http.MethodGet, "https://"+host+"/v2/", nil)
		if err := reg.Authorizer().Authorize(t.Context(), req); err != nil {
			t.Error(err)
			continue
		}
		res, err := sim.HTTPClient().Do(req)
		if err != nil || res.StatusCode != http.StatusOK {
			t.Errorf("%s: %v, %v", host, res, err)
		}
		if err := sim.Close(); err != nil {
			t.Error(err)
		}
	}
}

func TestEndpointVariable(t *testing.T) {
	isolate(t, keys)
	t.Setenv("AWS_ENDPOINT_URL_ECR", "https://ecr.example.com")
	var asked string
	reg, err := Load(t.Context(), home, Options{Form: ref.HostForm{FIPS: true, DualStack: true}, HTTPClient: roundTrip(func(r *http.Request) (*http.Response, error) {
		asked = r.URL.Host
		return always(200, `{}`).Do(r)
	})})
	if err != nil {
		t.Fatal(err)
	}
	if err := lastError(reg.Repositories(t.Context())); err != nil || asked != "ecr.example.com" {
		t.Errorf("asked %s: %v", asked, err)
	}
}

package ecr

import (
	"testing"

	"transship/internal/cloudsim"
	"transship/internal/cloudsim/ecrsim"
	"transship/internal/registry"
)

// TestProbes asks for every action, allowed and denied, where the repository exists and where it does not.
func TestProbes(t *testing.T) {
	_, cloud, reg := world(t, cloudsim.Options{})
	cloud.CreateRepository("app", ecrsim.RepositorySettings{})
	if err := ProbeDigest.Validate(); err != nil {
		t.Fatal(err)
	}
	for _, a := range Actions() {
		name := a.Name[len("ecr:"):]
		if name == "GetDownloadUrlForLayer" || name == "ListPullTimeUpdateExclusions" {
			continue // asked otherwise
		}
		cloud.Deny()
		for _, repository := range []string{"app", ProbeRepository} {
			if err := reg.Probe(t.Context(), a.Name, repository); err != nil {
				t.Errorf("%s on %s: %v", a.Name, repository, err)
			}
			cloud.Deny(name)
			if err := reg.Probe(t.Context(), a.Name, repository); !registry.IsClass(err, registry.Denied) {
				t.Errorf("%s on %s is denied, and the probe says %v", a.Name, repository, err)
			}
			cloud.Deny()
		}
	}
	if host := reg.APIHost(t.Context()); host != "api.ecr.us-east-1.amazonaws.com" {
		t.Errorf("the API is at %q", host)
	}
}

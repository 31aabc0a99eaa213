package ecr

import (
	"net/http"
	"testing"

	"github.com/google/go-cmp/cmp"

	"transship/internal/cloudsim"
	"transship/internal/cloudsim/ecrsim"
	"transship/internal/document"
	"transship/internal/registry"
)

func TestRepositorySettings(t *testing.T) {
	sim, reg, r := world(t, cloudsim.Options{})
	rules, policy := `{"rules":[]}`, `{"Version":"2012-10-17","Statement":[]}`
	reg.CreateRepository("guarded", ecrsim.RepositorySettings{
		LifecyclePolicy: rules, RepositoryPolicy: policy, Tags: map[string]string{"Team": "a b"},
	})
	reg.CreateRepository("bare", ecrsim.RepositorySettings{})
	got, err := r.RepositorySettings(t.Context(), home.Repository("guarded"))
	want := document.RepositorySettings{URI: home.Repository("guarded"), Lifecycle: rules, Policy: policy, Tags: map[string]string{"Team": "a b"}}
	if diff := cmp.Diff(want, got); err != nil || diff != "" {
		t.Errorf("guarded: %v (-want +got):\n%s", err, diff)
	}
	if n := sim.Counts().Total(); n != 3 {
		t.Errorf("%d requests, want 3", n)
	}
	got, err = r.RepositorySettings(t.Context(), home.Repository("bare"))
	if diff := cmp.Diff(document.RepositorySettings{URI: home.Repository("bare")}, got); err != nil || diff != "" {
		t.Errorf("bare: %v (-want +got):\n%s", err, diff)
	}
	if _, err = r.RepositorySettings(t.Context(), home.Repository("none")); !registry.IsClass(err, registry.NoRepository) {
		t.Errorf("a repository that is missing: %v", err)
	}
}

func TestSettingsThatMayNotBeRead(t *testing.T) {
	sim, reg, r := world(t, cloudsim.Options{})
	reg.CreateRepository("guarded", ecrsim.RepositorySettings{LifecyclePolicy: `{"rules":[]}`, Tags: map[string]string{"a": "b"}})
	denied := cloudsim.AWSError(http.StatusBadRequest, "AccessDeniedException", "User: arn:aws:iam::123456789012:user/x is not authorized to perform: ecr:GetRepositoryPolicy")
	sim.Faults.Set(cloudsim.Fault{Kind: "ecr.GetRepositoryPolicy", Action: denied})
	got, err := r.RepositorySettings(t.Context(), home.Repository("guarded"))
	if !registry.IsClass(err, registry.Denied) {
		t.Errorf("the error is %v", err)
	}
	if got.Lifecycle == "" || got.Tags["a"] != "b" {
		t.Errorf("the rest is not there: %+v", got)
	}
}

func TestRegistrySettings(t *testing.T) {
	sim, reg, r := world(t, cloudsim.Options{})
	got, err := r.RegistrySettings(t.Context())
	if diff := cmp.Diff(document.RegistrySettings{Registry: home, ScanType: "BASIC"}, got); err != nil || diff != "" {
		t.Errorf("none: %v (-want +got):\n%s", err, diff)
	}
	reg.SetPolicy(`{"Statement":[]}`)
	reg.SetScanning("ENHANCED", ecrsim.ScanRule{Frequency: "SCAN_ON_PUSH", Filters: []ecrsim.ScanFilter{{Filter: "prod*", Type: "WILDCARD"}, {Filter: "a", Type: "WILDCARD"}}})
	got, err = r.RegistrySettings(t.Context())
	want := document.RegistrySettings{
		Registry: home, Policy: `{"Statement":[]}`, ScanType: "ENHANCED",
		Scans: []document.ScanRule{{Frequency: "SCAN_ON_PUSH", Patterns: []string{"a", "prod*"}}},
	}
	if diff := cmp.Diff(want, got); err != nil || diff != "" {
		t.Errorf("all: %v (-want +got):\n%s", err, diff)
	}
	if n := sim.Counts().Total(); n != 4 {
		t.Errorf("%d requests, want 4", n)
	}
}

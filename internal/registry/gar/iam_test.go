package gar

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"transship/internal/cloudsim/arsim"
	"transship/internal/document"
	"transship/internal/ref"
	"transship/internal/registry"
)

func TestIamPolicy(t *testing.T) {
	sim, ar, c := world(t, arsim.Options{})
	p, err := c.GetIamPolicy(t.Context(), apps)
	if err != nil || p.Etag == "" || len(p.Bindings) != 0 {
		t.Fatalf("%+v, %v", p, err)
	}
	stale := p
	p.Bindings = []document.AccessBinding{
		{Role: "roles/artifactregistry.reader", Members: []string{"user:a@example.com"}},
		{Role: "roles/artifactregistry.writer", Members: []string{"group:b@example.com"}, Condition: &document.AccessCondition{
			Title: "t", Description: "d", Expression: `request.time < timestamp("2030-01-01T00:00:00Z")`, Location: "l"}},
	}
	if err := c.SetIamPolicy(t.Context(), apps, p); err != nil {
		t.Fatal(err)
	}
	got, err := c.GetIamPolicy(t.Context(), apps)
	if diff := cmp.Diff(p.Bindings, got.Bindings); err != nil || diff != "" || got.Version != policyVersion || got.Etag == p.Etag {
		t.Errorf("%+v, %v (-want +got):\n%s", got, err, diff)
	}
	if kept, _ := ar.Policy(apps.Location, apps.Project, apps.ID); len(kept.Bindings) != 2 || kept.Bindings[1].Condition["title"] != "t" {
		t.Errorf("%+v", kept)
	}
	if n := sim.Counts().Of("ar.api"); n != 3 {
		t.Errorf("%d requests, want 3", n)
	}
	if err := c.SetIamPolicy(t.Context(), apps, stale); !registry.IsClass(err, registry.Conflict) || !strings.Contains(err.Error(), "target: change access to "+apps.String()) {
		t.Errorf("with an old etag: %v", err)
	}
	got.Etag = ""
	if err := c.SetIamPolicy(t.Context(), apps, got); !registry.IsClass(err, registry.Unsupported) || !strings.Contains(err.Error(), "no etag") {
		t.Errorf("without an etag: %v", err)
	}
	if n := sim.Counts().Of("ar.api"); n != 4 {
		t.Errorf("%d requests, want 4: a policy without an etag is not sent", n)
	}
}

func TestIamPolicyFails(t *testing.T) {
	_, _, c := world(t, arsim.Options{Deny: func(_, permission string) bool { return strings.HasSuffix(permission, "IamPolicy") }})
	_, get := c.GetIamPolicy(t.Context(), apps)
	set := c.SetIamPolicy(t.Context(), apps, document.AccessPolicy{Etag: "x"})
	for permission, err := range map[string]error{"getIamPolicy": get, "setIamPolicy": set} {
		if !registry.IsClass(err, registry.Denied) || !strings.Contains(err.Error(), "grant artifactregistry.repositories."+permission+", which roles/artifactregistry.admin holds") {
			t.Errorf("%s: %v", permission, err)
		}
	}
	_, _, c = world(t, arsim.Options{})
	missing := ref.TargetRepository{Location: "us", Project: "my-project", ID: "nope"}
	if _, err := c.GetIamPolicy(t.Context(), missing); !registry.IsClass(err, registry.NoRepository) {
		t.Errorf("missing: %v", err)
	}
	p, err := c.GetIamPolicy(t.Context(), apps)
	if err != nil {
		t.Fatal(err)
	}
	p.Bindings = []document.AccessBinding{{Role: "roles/artifactregistry.reader", Members: []string{"nobody"}}}
	if err := c.SetIamPolicy(t.Context(), apps, p); !registry.IsClass(err, registry.Invalid) || !strings.Contains(err.Error(), "check that every member exists") {
		t.Errorf("an unknown member: %v", err)
	}
	hole := cloud(t, always(200, `{"etag":"x","bindings":[null]}`), StaticToken(accessToken))
	if _, err := hole.GetIamPolicy(t.Context(), apps); err == nil {
		t.Error("a hole in the bindings was read")
	}
}

package gar

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"transship/internal/cloudsim"
	"transship/internal/cloudsim/arsim"
	"transship/internal/document"
	"transship/internal/ref"
	"transship/internal/registry"
)

func TestRepository(t *testing.T) {
	sim, ar, c := world(t, arsim.Options{})
	vault := ref.TargetRepository{Location: "europe-west3", Project: "example.com:my-project", ID: "vault"}
	settings := arsim.Repository{
		Format: "DOCKER", Description: "d", Labels: map[string]string{"team": "a"}, KMSKeyName: "projects/p/locations/europe-west3/keyRings/r/cryptoKeys/k",
		DockerConfig: &arsim.DockerConfig{ImmutableTags: true}, CleanupPolicyDryRun: true,
		CleanupPolicies: map[string]arsim.CleanupPolicy{
			"a": {ID: "a", Action: "DELETE", Condition: &arsim.CleanupCondition{TagState: "UNTAGGED", OlderThan: "1209600s"}},
			"b": {ID: "b", Action: "KEEP", MostRecentVersions: &arsim.MostRecentVersions{KeepCount: 3, PackageNamePrefixes: []string{"app"}}},
		},
	}
	if err := ar.CreateRepository(vault.Location, vault.Project, vault.ID, settings); err != nil {
		t.Fatal(err)
	}
	got, err := c.Repository(t.Context(), vault)
	if err != nil {
		t.Fatal(err)
	}
	if got.CreatedAt.IsZero() {
		t.Error("it has no time of creation")
	}
	got.CreatedAt = time.Time{}
	want := document.TargetRepository{
		URI: vault, Format: "DOCKER", Mode: "STANDARD_REPOSITORY", Description: "d",
		TargetSettings: document.TargetSettings{
			ImmutableTags: true, KMSKey: settings.KMSKeyName, Labels: map[string]string{"team": "a"}, Scanning: document.ScanningInherited,
			CleanupDryRun: true, Cleanup: []document.CleanupPolicy{
				{ID: "a", Action: document.CleanupDelete, Condition: &document.CleanupCondition{TagState: document.Untagged, OlderThan: 14 * document.Day}},
				{ID: "b", Action: document.CleanupKeep, MostRecent: &document.MostRecent{KeepCount: 3, PackagePrefixes: []string{"app"}}},
			},
		},
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("all fields (-want +got):\n%s", diff)
	}
	got, err = c.Repository(t.Context(), apps)
	got.CreatedAt = time.Time{}
	if diff := cmp.Diff(document.TargetRepository{URI: apps, Format: "DOCKER", Mode: "STANDARD_REPOSITORY", TargetSettings: document.TargetSettings{Scanning: document.ScanningInherited}}, got); err != nil || diff != "" {
		t.Errorf("no fields: %v (-want +got):\n%s", err, diff)
	}
	if n := sim.Counts().Of("ar.api"); n != 2 {
		t.Errorf("%d requests, want 2", n)
	}
}

func TestRepositories(t *testing.T) {
	sim, ar, c := world(t, arsim.Options{})
	for i := range 1200 {
		if err := ar.CreateRepository("us", "my-project", fmt.Sprintf("r-%d", i), arsim.Repository{Format: "DOCKER"}); err != nil {
			t.Fatal(err)
		}
	}
	seen := map[ref.TargetRepository]bool{}
	for r, err := range c.Repositories(t.Context(), "my-project", "us") {
		if err != nil {
			t.Fatal(err)
		}
		seen[r.URI] = true
	}
	if n := sim.Counts().Of("ar.api"); len(seen) != 1201 || !seen[apps] || n != 2 {
		t.Errorf("%d repositories by %d requests, want 1201 by 2", len(seen), n)
	}
}

func TestRepositoryThatIsMissing(t *testing.T) {
	_, _, c := world(t, arsim.Options{})
	missing := ref.TargetRepository{Location: "us", Project: "my-project", ID: "nope"}
	_, err := c.Repository(t.Context(), missing)
	for what, err := range map[string]error{"repository": err, "images": lastError(c.Images(t.Context(), missing))} {
		if !registry.IsClass(err, registry.NoRepository) || !strings.Contains(err.Error(), missing.String()) || !strings.Contains(err.Error(), `run "transship provision"`) {
			t.Errorf("%s: %v", what, err)
		}
	}
}

func TestCreate(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		sim := cloudsim.New(cloudsim.Options{AR: arsim.Options{Token: accessToken, OperationDelay: 20 * time.Second}})
		if err := sim.StartMemory(); err != nil {
			t.Fatal(err)
		}
		sim.AR()
		transport := sim.Transport()
		defer func() {
			transport.CloseIdleConnections()
			if err := sim.Close(); err != nil {
				t.Error(err)
			}
		}()
		c := cloud(t, transport, StaticToken(accessToken))
		start := time.Now()
		if existed, err := c.Create(t.Context(), apps, "for tests", document.TargetSettings{}); err != nil || existed {
			t.Fatalf("existed %t, %v", existed, err)
		}
		if took := time.Since(start); took < 20*time.Second || took > 26*time.Second {
			t.Errorf("it took %s, want about 20 s", took)
		}
		if n := sim.Counts().Of("ar.api.operations.get"); n < 4 || n > 12 {
			t.Errorf("%d polls", n)
		}
		got, err := c.Repository(t.Context(), apps)
		if err != nil || got.Format != "DOCKER" || got.Description != "for tests" {
			t.Errorf("got %+v, %v", got, err)
		}
		if existed, err := c.Create(t.Context(), apps, "once more", document.TargetSettings{}); err != nil || !existed {
			t.Errorf("once more: existed %t, %v", existed, err)
		}
		if got, _ := c.Repository(t.Context(), apps); got.Description != "for tests" {
			t.Errorf("an existing repository was changed to %+v", got)
		}
		ctx, cancel := context.WithTimeout(t.Context(), 3*time.Second)
		defer cancel()
		other := apps
		other.ID = "other"
		if _, err := c.Create(ctx, other, "", document.TargetSettings{}); !registry.IsClass(err, registry.Canceled) || !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("with too little time: %v", err)
		}
	})
}

func TestCreateFails(t *testing.T) {
	for _, c := range []struct {
		name   string
		script *script
		class  registry.Class // empty for success
		text   string
	}{
		{"already there", always(409, apiError(409, "ALREADY_EXISTS", "the repository already exists", "", "")), "", ""},
		{"aborted", always(409, apiError(409, "ABORTED", "conflict", "", "")), registry.Conflict, "run it again"},
		{"already there, says the operation", always(200, `{"name":"o","done":true,"error":{"code":6,"message":"already exists"}}`), "", ""},
		{"the operation fails", always(200, `{"name":"o","done":true,"error":{"code":7,"message":"Permission 'cloudkms.x' denied"}}`), registry.Denied, "the operation failed: Permission"},
		{"the operation fails oddly", always(200, `{"name":"o","done":true,"error":{"code":13,"message":"internal"}}`), registry.Unavailable, "internal"},
		{"no such project or location", always(404, apiError(404, "NOT_FOUND", "not found", "", "")), registry.NotFound, "the project my-project exists"},
		{"denied", always(403, apiError(403, "PERMISSION_DENIED", "Permission 'artifactregistry.repositories.create' denied on resource (or it may not exist).", "", "")), registry.Denied, "roles/artifactregistry.admin"},
		{"a key that may not be used", always(200, `{"name":"o","done":true,"error":{"code":7,"message":"Permission 'cloudkms.cryptoKeyVersions.useToEncrypt' denied"}}`), registry.Denied, "roles/cloudkms.cryptoKeyEncrypterDecrypter"},
		{"a key elsewhere", always(400, apiError(400, "INVALID_ARGUMENT", "kms_key_name is in another location", "", "")), registry.Invalid, "its location must be us"},
		{"too many policies", always(400, apiError(400, "INVALID_ARGUMENT", "a repository has at most 10 cleanup policies", "", "")), registry.Invalid, "remove clean-up policies"},
		{"a label", always(400, apiError(400, "INVALID_ARGUMENT", "label \"A\" is wrong", "", "")), registry.Invalid, "what the plan wants"},
		{"something else", always(400, apiError(400, "INVALID_ARGUMENT", "no", "", "")), registry.Invalid, "INVALID_ARGUMENT: no"},
		{"the answer of a success is lost", inTurn(broken(errors.New("connection reset by peer")), answer(409, apiError(409, "ALREADY_EXISTS", "exists", "", ""))), "", ""},
	} {
		t.Run(c.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				existed, err := cloud(t, c.script, StaticToken(accessToken)).Create(t.Context(), apps, "d", document.TargetSettings{})
				if existed != (err == nil) { // all that succeed here were there
					t.Errorf("existed: %t", existed)
				}
				if c.class == "" && err != nil || c.class != "" && (!registry.IsClass(err, c.class) || !strings.Contains(err.Error(), c.text)) {
					t.Errorf("got %v of class %s, want %s with %q", err, registry.ClassOf(err), c.class, c.text)
				}
				for i, r := range c.script.seen {
					if r.Method != http.MethodPost || r.URL.Query().Get("repositoryId") != apps.ID || !strings.Contains(c.script.body[i], `"format":"DOCKER"`) {
						t.Errorf("request %d is %s %s with %q", i, r.Method, r.URL, c.script.body[i])
					}
				}
			})
		})
	}
}

func TestNewRefusesWhatIsNotSafe(t *testing.T) {
	for _, o := range []Options{
		{},
		{Credentials: NewKeyring(StaticToken("t")), Endpoint: "http://artifactregistry.googleapis.com/"},
		{Credentials: NewKeyring(StaticToken("t")), Endpoint: "artifactregistry.googleapis.com"},
		{Credentials: NewKeyring(StaticToken("t")), Endpoint: "https://"},
		{Credentials: NewKeyring(StaticToken("t")), Endpoint: ":"},
	} {
		if _, err := New(o); err == nil {
			t.Errorf("%+v is taken", o)
		}
	}
	s := always(200, `{}`)
	c, err := New(Options{Credentials: NewKeyring(StaticToken("t")), Endpoint: "https://example.com:8443/", Transport: s})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := c.Repository(t.Context(), apps); err != nil || s.seen[0].URL.Host != "example.com:8443" {
		t.Errorf("%v at %v", err, s.seen)
	}
}

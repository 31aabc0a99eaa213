package provision_test

import (
	"bytes"
	"context"
	"encoding/json"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"transship/internal/cloudsim"
	"transship/internal/cloudsim/arsim"
	"transship/internal/cloudsim/corpus"
	"transship/internal/cloudstest"
	"transship/internal/document"
	"transship/internal/governance/access"
	"transship/internal/provision"
	"transship/internal/ref"
	"transship/internal/registry"
)

// From the policies of ECR to the bindings of Artifact Registry, on the embedded clouds.
func TestAccessOnTheEmbeddedClouds(t *testing.T) {
	w := cloudstest.New(t, cloudsim.Options{}, corpus.Flat(1, 1))
	target := cloudstest.Default().Repository
	theirs := document.AccessBinding{Role: access.RoleReader, Members: []string{"user:them@example.com"}, Condition: &document.AccessCondition{Title: "till 2030", Expression: "true"}}
	p, err := w.Target.GetIamPolicy(t.Context(), target)
	if err != nil {
		t.Fatal(err)
	}
	p.Bindings = append(p.Bindings, theirs)
	if err := w.Target.SetIamPolicy(t.Context(), target, p); err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	if err := os.WriteFile(filepath.Join(dir, "principals.yaml"), []byte(
		"principals:\n  - aws: arn:aws:iam::111122223333:role/*\n    google: [user:a@example.com, group:b@example.com]\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	settings := document.Settings{Repositories: []document.RepositorySettings{{URI: cloudstest.Registry().Repository("app"), Policy: `{"Version":"2012-10-17","Statement":[
		{"Effect":"Allow","Principal":{"AWS":"arn:aws:iam::111122223333:role/deploy"},"Action":["ecr:BatchGetImage","ecr:GetDownloadUrlForLayer"]}]}`}}}
	in := access.FromSettings(settings, func(ref.Repository) (ref.TargetRepository, bool) { return target, true })
	before := w.Sim.Counts()
	written, _, err := provision.WriteAccess(dir, in)
	if err != nil || written.Ready != 2 || w.Sim.Counts().Sub(before).Total() != 0 {
		t.Fatalf("%+v, %v", written, err)
	}
	apply := func() (missing int) {
		files, err := provision.ReadAccess(dir, []string{target.String()}, false)
		if err != nil {
			t.Fatal(err)
		}
		changes, err := provision.PreviewAccess(t.Context(), w.Target, files)
		if err != nil {
			t.Fatal(err)
		}
		r, err := provision.ApplyAccess(t.Context(), w.Target, changes)
		if err != nil || len(r.Applied) != 1 {
			t.Fatalf("%+v, %v", r, err)
		}
		return len(r.Applied[0].Missing)
	}
	before = w.Sim.Counts()
	added := apply()
	if n := w.Sim.Counts().Sub(before); added != 2 || n.Total() != 3 || n.Of("ar.api.repositories.setIamPolicy") != 1 {
		t.Errorf("%d added by %d requests, want 2 by 3", added, n.Total())
	}
	before = w.Sim.Counts()
	added = apply()
	if n := w.Sim.Counts().Sub(before); added != 0 || n.Total() != 1 || n.Of("ar.api.repositories.getIamPolicy") != 1 {
		t.Errorf("a second time: %d added by %d requests, want 0 by 1", added, n.Total())
	}
	got, _ := w.AR.Policy(target.Location, target.Project, target.ID)
	if len(got.Bindings) != 2 || got.Bindings[0].Condition["title"] != "till 2030" || !slices.Equal(got.Bindings[1].Members, []string{"group:b@example.com", "user:a@example.com"}) {
		t.Errorf("%+v", got.Bindings)
	}
	seenByGcloud(t, w.AR, target)
}

// seenByGcloud compares what gcloud sees, where it is installed.
func seenByGcloud(t *testing.T, ar *arsim.Cloud, target ref.TargetRepository) {
	t.Helper()
	path, err := exec.LookPath("gcloud")
	if err != nil || testing.Short() {
		t.Log("gcloud is not on the PATH, or this is a short run: the policy is not looked at with it")
		return
	}
	server := httptest.NewServer(ar.API())
	defer server.Close()
	token := filepath.Join(t.TempDir(), "token")
	if err := os.WriteFile(token, []byte(cloudstest.Token), 0o600); err != nil {
		t.Fatal(err)
	}
	cmd := exec.CommandContext(t.Context(), path, "artifacts", "repositories", "get-iam-policy", target.ID, "--location="+target.Location, "--format=json")
	cmd.Env = append(os.Environ(),
		"CLOUDSDK_API_ENDPOINT_OVERRIDES_ARTIFACTREGISTRY="+server.URL+"/", "CLOUDSDK_AUTH_ACCESS_TOKEN_FILE="+token, "CLOUDSDK_CORE_PROJECT="+target.Project,
		"CLOUDSDK_CONFIG="+t.TempDir(), "CLOUDSDK_CORE_DISABLE_PROMPTS=1", "CLOUDSDK_CORE_DISABLE_USAGE_REPORTING=1", "CLOUDSDK_COMPONENT_MANAGER_DISABLE_UPDATE_CHECK=1")
	var stderr bytes.Buffer
	cmd.Stderr = &stderr
	out, err := cmd.Output()
	if err != nil {
		t.Fatalf("gcloud: %v\n%s%s", err, out, stderr.String())
	}
	var policy arsim.Policy
	if err := json.Unmarshal(out, &policy); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	i := slices.IndexFunc(policy.Bindings, func(b arsim.Binding) bool { return b.Role == access.RoleReader && b.Condition == nil })
	if i < 0 || !slices.Equal(policy.Bindings[i].Members, []string{"group:b@example.com", "user:a@example.com"}) {
		t.Errorf("gcloud sees\n%s", out)
	}
	t.Logf("gcloud sees\n%s", out)
}

// faster is Artifact Registry where somebody else changes the policy after it was read, once.
type faster struct {
	provision.AccessTarget
	done bool
}

func (f *faster) SetIamPolicy(ctx context.Context, r ref.TargetRepository, p document.AccessPolicy) error {
	if !f.done {
		f.done = true
		theirs, err := f.GetIamPolicy(ctx, r)
		if err != nil {
			return err
		}
		theirs.Bindings = append(theirs.Bindings, document.AccessBinding{Role: access.RoleWriter, Members: []string{"user:faster@example.com"}})
		if err := f.AccessTarget.SetIamPolicy(ctx, r, theirs); err != nil {
			return err
		}
	}
	return f.AccessTarget.SetIamPolicy(ctx, r, p)
}

// Nobody's change is lost: the etag is what the embedded Artifact Registry checks.
func TestAccessKeepsWhatSomebodyElseAdds(t *testing.T) {
	w := cloudstest.New(t, cloudsim.Options{}, corpus.Flat(1, 1))
	target := cloudstest.Default().Repository
	change := provision.AccessChange{Repository: target, Missing: []access.Wish{{Role: access.RoleWriter, Member: "user:us@example.com"}}}
	before := w.Sim.Counts()
	if _, err := provision.ApplyAccess(t.Context(), &faster{AccessTarget: w.Target}, []provision.AccessChange{change}); err != nil {
		t.Fatal(err)
	}
	got, _ := w.AR.Policy(target.Location, target.Project, target.ID)
	if len(got.Bindings) != 1 || strings.Join(got.Bindings[0].Members, " ") != "user:faster@example.com user:us@example.com" {
		t.Errorf("%+v", got.Bindings)
	}
	if n := w.Sim.Counts().Sub(before); n.Of("ar.api.repositories.setIamPolicy") != 3 || n.Of("ar.api.repositories.getIamPolicy") != 3 {
		t.Errorf("%d requests", n.Total())
	}
	missing := target
	missing.ID = "missing"
	files := []provision.Reviewed{{Review: access.Review{Repository: missing}}, {Review: access.Review{Repository: target}}}
	if c, err := provision.PreviewAccess(t.Context(), w.Target, files); !registry.IsClass(err, registry.NoRepository) && !strings.Contains(err.Error(), `run "transship provision"`) || len(c) != 1 {
		t.Errorf("%+v, %v", c, err)
	}
}

package provision_test

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"transship/internal/cloudsim"
	"transship/internal/cloudsim/arsim"
	"transship/internal/cloudsim/corpus"
	"transship/internal/cloudstest"
	"transship/internal/document"
	"transship/internal/provision"
	"transship/internal/ref"
)

func repository(id string) ref.TargetRepository {
	r := cloudstest.Default().Repository
	r.ID = id
	return r
}

func untagged(id string, days document.Seconds) document.CleanupPolicy {
	return document.CleanupPolicy{ID: id, Action: document.CleanupDelete, Condition: &document.CleanupCondition{TagState: document.Untagged, OlderThan: days * document.Day}}
}

// everything is all that can be planned for a repository.
func everything(id string) document.PlannedRepository {
	return document.PlannedRepository{URI: repository(id), Description: "images of ours", Settings: document.TargetSettings{
		ImmutableTags: true, KMSKey: "projects/my-gcp-project/locations/us/keyRings/r/cryptoKeys/k", Labels: map[string]string{"team": "payments"},
		Scanning: document.ScanningDisabled, CleanupDryRun: true, Cleanup: []document.CleanupPolicy{
			untagged("transship-r2", 14),
			{ID: "transship-r1", Action: document.CleanupKeep, MostRecent: &document.MostRecent{KeepCount: 10}},
		},
	}}
}

// guarded is a world with one repository of somebody's, and a plan for that, for a new one and for the one that is there.
func guarded(t *testing.T) (*cloudstest.World, provision.Config) {
	t.Helper()
	w := cloudstest.New(t, cloudsim.Options{}, corpus.Flat(1, 1))
	theirs := repository("theirs")
	err := w.AR.CreateRepository(theirs.Location, theirs.Project, theirs.ID, arsim.Repository{
		Format: "DOCKER", Description: "theirs", Labels: map[string]string{"cost": "42", "team": "platform"}, CleanupPolicyDryRun: true,
		CleanupPolicies: map[string]arsim.CleanupPolicy{
			"by-hand":      {ID: "by-hand", Action: "DELETE", Condition: &arsim.CleanupCondition{OlderThan: "86400s"}},
			"transship-r9": {ID: "transship-r9", Action: "KEEP", MostRecentVersions: &arsim.MostRecentVersions{KeepCount: 1}},
		},
	})
	if err != nil {
		t.Fatal(err)
	}
	existing, plain := everything("theirs"), document.PlannedRepository{URI: cloudstest.Default().Repository}
	existing.Settings.KMSKey = ""
	return w, provision.Config{Target: w.Target, Interval: time.Nanosecond, Repositories: []document.PlannedRepository{plain, everything("fresh"), existing}}
}

// settings are those that the cloud itself has of a repository.
func settings(t *testing.T, w *cloudstest.World, id string) arsim.Repository {
	t.Helper()
	r, ok := w.AR.Repository("us", "my-gcp-project", id)
	if !ok {
		t.Fatalf("there is no repository %s", id)
	}
	return r
}

func TestSettingsOnTheEmbeddedCloud(t *testing.T) {
	w, c := guarded(t)
	before := w.Sim.Counts()
	r, err := provision.Run(t.Context(), c)
	if err != nil || len(r.Created) != 1 || len(r.Changed) != 1 || len(r.Unchanged) != 1 || len(r.LeftOut) != 0 || len(r.DryRun) != 2 || len(r.Unfinished) != 2 {
		t.Fatalf("%+v, %v", r, err)
	}
	n := w.Sim.Counts().Sub(before)
	if n.Of("ar.api.repositories.create") != 1 || n.Of("ar.api.repositories.patch") != 1 || n.Total() != 3+1+2 {
		t.Errorf("it took these requests:\n%s", n)
	}
	fresh := settings(t, w, "fresh")
	if fresh.KMSKeyName == "" || fresh.Labels["team"] != "payments" || !fresh.CleanupPolicyDryRun || len(fresh.CleanupPolicies) != 2 || fresh.DockerConfig != nil ||
		fresh.VulnerabilityScanningConfig.EnablementConfig != "DISABLED" || fresh.Description != "images of ours" {
		t.Errorf("created: %+v", fresh)
	}
	theirs := settings(t, w, "theirs")
	if diff := cmp.Diff(map[string]string{"cost": "42", "team": "payments"}, theirs.Labels); diff != "" || theirs.Description != "theirs" {
		t.Errorf("described as %q, labels:\n%s", theirs.Description, diff)
	}
	_, gone := theirs.CleanupPolicies["transship-r9"]
	if p := theirs.CleanupPolicies["by-hand"]; gone || len(theirs.CleanupPolicies) != 3 || p.Condition == nil || p.Condition.OlderThan != "86400s" || !theirs.CleanupPolicyDryRun {
		t.Errorf("policies: %+v", theirs.CleanupPolicies)
	}

	for _, finish := range []bool{false, true, true} {
		c.Finish = finish
		before := w.Sim.Counts()
		r, err := provision.Run(t.Context(), c)
		want := 3 // looks
		if finish && len(r.Changed) > 0 {
			want += 2 * len(r.Changed)
		}
		if n := w.Sim.Counts().Sub(before); err != nil || n.Total() != want || len(r.Created) != 0 {
			t.Errorf("finish %t: %+v, %v, with these requests:\n%s", finish, r, err, n)
		}
	}
	if d := settings(t, w, "theirs").DockerConfig; d == nil || !d.ImmutableTags {
		t.Error("it was not finished")
	}
	if settings(t, w, "app-images").DockerConfig != nil {
		t.Error("tags became immutable where nobody planned it")
	}
	before = w.Sim.Counts()
	if r, err := provision.Run(t.Context(), c); err != nil || !r.Nothing() || len(r.Unchanged) != 3 || w.Sim.Counts().Sub(before).Total() != 3 {
		t.Errorf("once more: %+v, %v", r, err)
	}
}

// Whatever is lost or broken on the way, another run does the rest, and nothing twice.
func TestAnInterruptedProvision(t *testing.T) {
	for _, fault := range []cloudsim.Fault{
		{Kind: "ar.api.repositories.create", Times: 1, Action: cloudsim.ResetAfterWork()},
		{Kind: "ar.api.repositories.patch", Times: 1, Action: cloudsim.ResetAfterWork()},
		{Kind: "ar.api.repositories.create", Times: 1, Action: cloudsim.Status(403)},
		{Kind: "ar.api.repositories.patch", Times: 1, Action: cloudsim.Status(403)},
	} {
		w, c := guarded(t)
		w.Sim.Faults.Set(fault)
		first, err := provision.Run(t.Context(), c)
		if w.Sim.Faults.Fired() == 0 {
			t.Fatalf("%s was never met", fault.Kind)
		}
		again, errAgain := provision.Run(t.Context(), c)
		if errAgain != nil {
			t.Fatalf("%s: %v, then %v", fault.Kind, err, errAgain)
		}
		if done := len(first.Created) + len(first.Changed) + len(again.Created) + len(again.Changed); done != 2 {
			t.Errorf("%s: %d were done: %+v, then %+v", fault.Kind, done, first, again)
		}
		before := w.Sim.Counts()
		if r, err := provision.Run(t.Context(), c); err != nil || !r.Nothing() || w.Sim.Counts().Sub(before).Total() != 3 {
			t.Errorf("%s: in the end %+v, %v", fault.Kind, r, err)
		}
	}
	w, c := guarded(t)
	ctx, cancel := context.WithCancel(t.Context())
	c.Progress = func(p provision.Progress) {
		if p.Done == 1 {
			cancel()
		}
	}
	r, err := provision.Run(ctx, c)
	if !errors.Is(err, context.Canceled) || len(r.Created) != 1 || len(r.Changed) != 0 {
		t.Errorf("stopped: %+v, %v", r, err)
	}
	c.Progress = nil
	if r, err = provision.Run(t.Context(), c); err != nil || len(r.Created) != 0 || len(r.Changed) != 1 {
		t.Errorf("after the stop: %+v, %v", r, err)
	}
	if !settings(t, w, "theirs").CleanupPolicyDryRun {
		t.Error("not in dry run")
	}
}

// A key that does not fit is found out before anything is created or changed.
func TestNothingIsDoneBesideAConflict(t *testing.T) {
	for _, test := range []struct {
		spoil func(*document.PlannedRepository)
		say   string
	}{
		{func(p *document.PlannedRepository) {
			p.Settings.KMSKey = strings.Replace(p.Settings.KMSKey, "/us/", "/europe/", 1)
		}, "name a key whose location is us"},
		{func(p *document.PlannedRepository) { p.Settings.KMSKey = "my-key" }, "without a version"},
		{func(p *document.PlannedRepository) { p.URI = cloudstest.Default().Repository }, "cannot be changed"},
		{func(p *document.PlannedRepository) { p.Settings.Cleanup[0].ID = "r1" }, "would refuse"},
	} {
		w, c := guarded(t)
		test.spoil(&c.Repositories[1])
		before := w.Sim.Counts()
		_, err := provision.Run(t.Context(), c)
		if err == nil || !strings.Contains(err.Error(), test.say) {
			t.Errorf("the error %v does not say %q", err, test.say)
		}
		if n := w.Sim.Counts().Sub(before); n.Of("ar.api.repositories.create")+n.Of("ar.api.repositories.patch") != 0 {
			t.Errorf("%s: it took these requests:\n%s", test.say, n)
		}
	}
}

// gcloud sees what was planned, and its way of ending the dry run is one that provision does not undo.
func TestGcloudAgrees(t *testing.T) {
	if testing.Short() {
		t.Skip("gcloud takes seconds to start")
	}
	path, err := exec.LookPath("gcloud")
	if err != nil {
		t.Skip("gcloud is not on the PATH: whether it agrees was not asked")
	}
	t.Parallel()
	w, c := guarded(t)
	if _, err := provision.Run(t.Context(), c); err != nil {
		t.Fatal(err)
	}
	srv := httptest.NewServer(w.AR.API())
	defer srv.Close()
	token := filepath.Join(t.TempDir(), "token")
	if err := os.WriteFile(token, []byte(cloudstest.Token), 0o600); err != nil {
		t.Fatal(err)
	}
	gcloud := func(args ...string) []byte {
		t.Helper()
		cmd := exec.CommandContext(t.Context(), path, append([]string{"artifacts", "repositories"}, args...)...)
		cmd.Env = append(os.Environ(), "CLOUDSDK_API_ENDPOINT_OVERRIDES_ARTIFACTREGISTRY="+srv.URL+"/", "CLOUDSDK_AUTH_ACCESS_TOKEN_FILE="+token,
			"CLOUDSDK_CONFIG="+t.TempDir(), "CLOUDSDK_CORE_DISABLE_PROMPTS=1", "CLOUDSDK_CORE_DISABLE_USAGE_REPORTING=1", "CLOUDSDK_COMPONENT_MANAGER_DISABLE_UPDATE_CHECK=1")
		var stderr bytes.Buffer
		cmd.Stderr = &stderr
		out, err := cmd.Output()
		if err != nil {
			t.Fatalf("gcloud %s: %v\n%s", strings.Join(args, " "), err, stderr.String())
		}
		return out
	}
	var seen arsim.Repository
	out := gcloud("describe", "fresh", "--location=us", "--project=my-gcp-project", "--format=json(labels,kmsKeyName,cleanupPolicies,cleanupPolicyDryRun,vulnerabilityScanningConfig.enablementConfig,description,format)")
	if err := json.Unmarshal(out, &seen); err != nil {
		t.Fatalf("%v: %s", err, out)
	}
	want := arsim.Repository{
		Format: "DOCKER", Description: "images of ours", Labels: map[string]string{"team": "payments"}, KMSKeyName: c.Repositories[1].Settings.KMSKey,
		CleanupPolicyDryRun: true, VulnerabilityScanningConfig: &arsim.VulnerabilityScanningConfig{EnablementConfig: "DISABLED"},
		CleanupPolicies: map[string]arsim.CleanupPolicy{
			"transship-r1": {ID: "transship-r1", Action: "KEEP", MostRecentVersions: &arsim.MostRecentVersions{KeepCount: 10}},
			"transship-r2": {ID: "transship-r2", Action: "DELETE", Condition: &arsim.CleanupCondition{TagState: "UNTAGGED", OlderThan: "1209600s"}},
		},
	}
	if diff := cmp.Diff(want, seen); diff != "" {
		t.Errorf("gcloud sees (-want +got):\n%s", diff)
	}
	gcloud("set-cleanup-policies", "fresh", "--location=us", "--project=my-gcp-project", "--no-dry-run")
	if now := settings(t, w, "fresh"); now.CleanupPolicyDryRun || len(now.CleanupPolicies) != 2 {
		t.Errorf("the end of the dry run: %+v", now)
	}
	if r, err := provision.Run(t.Context(), c); err != nil || !r.Nothing() || len(r.DryRun) != 1 {
		t.Errorf("once more: %+v, %v", r, err)
	}
}

package gar

import (
	"errors"
	"fmt"
	"maps"
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

func untagged(id string, days document.Seconds) document.CleanupPolicy {
	return document.CleanupPolicy{ID: id, Action: document.CleanupDelete, Condition: &document.CleanupCondition{
		TagState: document.Untagged, VersionPrefixes: []string{"sha256:0"}, PackagePrefixes: []string{"team/"}, OlderThan: days * document.Day,
	}}
}

func all() document.TargetSettings {
	return document.TargetSettings{
		KMSKey: "projects/p/locations/us/keyRings/r/cryptoKeys/k", Labels: map[string]string{"team": "a"}, Scanning: document.ScanningDisabled,
		CleanupDryRun: true, Cleanup: []document.CleanupPolicy{
			{ID: "transship-keep", Action: document.CleanupKeep, MostRecent: &document.MostRecent{KeepCount: 3, PackagePrefixes: []string{"app"}}},
			{ID: "transship-new", Action: document.CleanupKeep, Condition: &document.CleanupCondition{TagState: document.Tagged, TagPrefixes: []string{"v"}, NewerThan: document.Day}},
			untagged("transship-old", 14),
		},
	}
}

// What is created reads back as it was asked for, but for immutable tags, which a copy could not do with.
func TestCreateWithSettings(t *testing.T) {
	sim, _, c := world(t, arsim.Options{})
	fresh := ref.TargetRepository{Location: "us", Project: "my-project", ID: "fresh"}
	asked := all()
	asked.ImmutableTags = true
	if existed, err := c.Create(t.Context(), fresh, "ours", asked); err != nil || existed {
		t.Fatalf("existed %t, %v", existed, err)
	}
	if n := sim.Counts().Of("ar.api"); n != 1 {
		t.Errorf("%d requests, want 1", n)
	}
	got, err := c.Repository(t.Context(), fresh)
	if diff := cmp.Diff(all(), got.TargetSettings); err != nil || diff != "" || got.Description != "ours" {
		t.Errorf("%v, described as %q (-want +got):\n%s", err, got.Description, diff)
	}
}

func TestUpdateSendsWhatDiffers(t *testing.T) {
	sim, _, c := world(t, arsim.Options{})
	to := func(change func(*document.TargetSettings)) func(document.TargetRepository) (document.TargetSettings, error) {
		return func(found document.TargetRepository) (document.TargetSettings, error) {
			s := found.TargetSettings
			s.Labels = maps.Clone(s.Labels)
			change(&s)
			return s, nil
		}
	}
	want := all()
	want.KMSKey, want.ImmutableTags = "", true
	for i, change := range []func(*document.TargetSettings){
		func(s *document.TargetSettings) { *s = want },
		func(*document.TargetSettings) {},
		func(s *document.TargetSettings) { s.Cleanup, want.Cleanup = nil, nil },
		func(s *document.TargetSettings) { s.CleanupDryRun, want.CleanupDryRun = false, false },
		func(s *document.TargetSettings) {
			s.Scanning, want.Scanning = document.ScanningInherited, document.ScanningInherited
		},
		func(s *document.TargetSettings) {
			s.Labels["more"] = ""
			want.Labels = map[string]string{"team": "a", "more": ""}
		},
		func(s *document.TargetSettings) { s.ImmutableTags, want.ImmutableTags = false, false },
	} {
		before := sim.Counts()
		if err := c.Update(t.Context(), apps, to(change)); err != nil {
			t.Fatalf("change %d: %v", i, err)
		}
		patches := 1
		if i == 1 {
			patches = 0
		}
		if n := sim.Counts().Sub(before); n.Of("ar.api.repositories.patch") != patches || n.Total() != 1+patches {
			t.Errorf("change %d took these requests:\n%s", i, n)
		}
		got, err := c.Repository(t.Context(), apps)
		if diff := cmp.Diff(want, got.TargetSettings); err != nil || diff != "" {
			t.Errorf("change %d: %v (-want +got):\n%s", i, err, diff)
		}
	}
}

// A policy that stays is sent in the bytes in which it came: it may say what this version knows nothing of.
func TestUpdateKeepsForeignPolicies(t *testing.T) {
	const foreign = `{"id":"by-hand","action":"DELETE","condition":{"tagState":"UNTAGGED","olderThan":"1209600.5s","onlyOnSundays":true},"note":"not ours"}`
	s := always(200, `{"name":"x","format":"DOCKER","labels":{"cost":"42"},"cleanupPolicyDryRun":true,"cleanupPolicies":{"by-hand":`+foreign+`,"transship-a":{"id":"transship-a","action":"KEEP"}}}`)
	err := cloud(t, s, StaticToken(accessToken)).Update(t.Context(), apps, func(found document.TargetRepository) (document.TargetSettings, error) {
		if len(found.Cleanup) != 2 || found.Labels["cost"] != "42" {
			t.Errorf("found %+v", found)
		}
		found.Cleanup = []document.CleanupPolicy{found.Cleanup[0], untagged("transship-b", 7)}
		return found.TargetSettings, nil
	})
	if err != nil || s.requests() != 2 {
		t.Fatalf("%d requests, %v", s.requests(), err)
	}
	patch := s.seen[1]
	if patch.Method != http.MethodPatch || patch.URL.Query().Get("updateMask") != "cleanupPolicies" || patch.URL.Path != "/v1/"+apps.ResourceName() {
		t.Errorf("%s %s", patch.Method, patch.URL)
	}
	want := `{"cleanupPolicies":{"by-hand":` + foreign + `,"transship-b":{"action":"DELETE","condition":{"olderThan":"604800s",` +
		`"packageNamePrefixes":["team/"],"tagState":"UNTAGGED","versionNamePrefixes":["sha256:0"]},"id":"transship-b"}}}`
	if diff := cmp.Diff(want, s.body[1]); diff != "" {
		t.Errorf("the body (-want +got):\n%s", diff)
	}
}

func TestUpdateFails(t *testing.T) {
	found := answer(200, `{"name":"x","format":"DOCKER"}`)
	no := errors.New("no, thank you")
	for _, c := range []struct {
		name   string
		script *script
		decide error
		class  registry.Class // empty for success
		text   string
	}{
		{"it is gone", always(404, apiError(404, "NOT_FOUND", "not found", "", "")), nil, registry.NoRepository, `run "transship provision"`},
		{"no answer that is JSON", always(200, `<html>`), nil, registry.Unknown, "read repository"},
		{"an answer that is something else", always(200, `{"labels":7}`), nil, registry.Unknown, "update repository"},
		{"nobody wants it", inTurn(found), no, registry.Unknown, "no, thank you"},
		{"denied", inTurn(found, answer(403, apiError(403, "PERMISSION_DENIED", "Permission 'artifactregistry.repositories.update' denied on resource (or it may not exist).", "", ""))), nil,
			registry.Denied, "grant artifactregistry.repositories.update, which roles/artifactregistry.admin holds"},
		{"its key", inTurn(found, answer(400, apiError(400, "INVALID_ARGUMENT", "kms_key_name may not be changed after the repository has been created", "", ""))), nil,
			registry.Invalid, "keeps the key that it was created with"},
		{"it throttles for a while", inTurn(found, answer(429, apiError(429, "RESOURCE_EXHAUSTED", "slow down", "", "")), answer(200, `{}`)), nil, "", ""},
		{"the answer of a success is lost", inTurn(found, broken(errors.New("connection reset by peer")), answer(200, `{}`)), nil, "", ""},
	} {
		t.Run(c.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				err := cloud(t, c.script, StaticToken(accessToken)).Update(t.Context(), apps, func(found document.TargetRepository) (document.TargetSettings, error) {
					found.ImmutableTags = true
					return found.TargetSettings, c.decide
				})
				if c.class == "" && err != nil || c.class != "" && (!registry.IsClass(err, c.class) || !strings.Contains(err.Error(), c.text)) {
					t.Errorf("got %v of class %s, want %s with %q", err, registry.ClassOf(err), c.class, c.text)
				}
				if last := len(c.script.body) - 1; c.class == "" && c.script.body[last] != `{"dockerConfig":{"immutableTags":true}}` {
					t.Errorf("the last body is %s", c.script.body[last])
				}
			})
		})
	}
}

// A creation whose answer is lost is found to be there, with what it was asked for.
func TestCreateWithALostAnswer(t *testing.T) {
	sim, ar, c := world(t, arsim.Options{})
	fresh := ref.TargetRepository{Location: "us", Project: "my-project", ID: "fresh"}
	sim.Faults.Set(cloudsim.Fault{Kind: "ar.api.repositories.create", Times: 1, Action: cloudsim.ResetAfterWork()})
	existed, err := c.Create(t.Context(), fresh, "ours", all())
	if err != nil || !existed {
		t.Errorf("existed %t, %v", existed, err)
	}
	if made, ok := ar.Repository(fresh.Location, fresh.Project, fresh.ID); !ok || len(made.CleanupPolicies) != 3 || !made.CleanupPolicyDryRun {
		t.Errorf("made %+v", made)
	}
}

// The embedded cloud refuses a key in another location, as Artifact Registry does.
func TestCreateWithAKeyElsewhere(t *testing.T) {
	_, ar, c := world(t, arsim.Options{})
	fresh := ref.TargetRepository{Location: "europe", Project: "my-project", ID: "fresh"}
	_, err := c.Create(t.Context(), fresh, "", all())
	if !registry.IsClass(err, registry.Invalid) || !strings.Contains(err.Error(), "its location must be europe") {
		t.Errorf("got %v", err)
	}
	if _, ok := ar.Repository(fresh.Location, fresh.Project, fresh.ID); ok {
		t.Error("it was created")
	}
}

func TestSecondsAreWrittenAsTheAPIReadsThem(t *testing.T) {
	for _, s := range []document.Seconds{0, 1, document.Day, 3650 * document.Day} {
		if got := parseSeconds(formatSeconds(s)); got != s {
			t.Errorf("%s comes back as %d", fmt.Sprint(time.Duration(s)*time.Second), got)
		}
	}
}

package generate

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
	"github.com/hashicorp/hcl/v2/hclparse"
	"github.com/hashicorp/hcl/v2/hclsyntax"
	"github.com/zclconf/go-cty/cty"
	"pgregory.net/rapid"

	"transship/internal/cloudsim"
	"transship/internal/cloudsim/arsim"
	"transship/internal/cloudsim/corpus"
	"transship/internal/cloudstest"
	"transship/internal/document"
	"transship/internal/provision"
	"transship/internal/ref"
)

// stated is what a resource of Terraform says of a repository.
func stated(t require, b *hclsyntax.Block) document.TargetRepository {
	text := func(body *hclsyntax.Body, name string) string {
		if body.Attributes[name] == nil {
			return ""
		}
		return value(t, body, name).AsString()
	}
	list := func(body *hclsyntax.Body, name string) (out []string) {
		if body.Attributes[name] != nil {
			for _, v := range value(t, body, name).AsValueSlice() {
				out = append(out, v.AsString())
			}
		}
		return out
	}
	age := func(body *hclsyntax.Body, name string) (s document.Seconds) {
		if at := text(body, name); at != "" {
			if _, err := fmt.Sscanf(at, "%ds", &s); err != nil {
				t.Fatalf("%s: %v", at, err)
			}
		}
		return s
	}
	r := document.TargetRepository{
		URI:    ref.TargetRepository{Location: text(b.Body, "location"), Project: text(b.Body, "project"), ID: text(b.Body, "repository_id")},
		Format: text(b.Body, "format"), Description: text(b.Body, "description"),
		TargetSettings: document.TargetSettings{KMSKey: text(b.Body, "kms_key_name"), Scanning: document.ScanningInherited},
	}
	if b.Body.Attributes["labels"] != nil {
		r.Labels = map[string]string{}
		for k, v := range value(t, b.Body, "labels").AsValueMap() {
			r.Labels[k] = v.AsString()
		}
	}
	if b.Body.Attributes["cleanup_policy_dry_run"] != nil {
		r.CleanupDryRun = value(t, b.Body, "cleanup_policy_dry_run").True()
	}
	for _, in := range b.Body.Blocks {
		switch in.Type {
		case "docker_config":
			r.ImmutableTags = value(t, in.Body, "immutable_tags").True()
		case "vulnerability_scanning_config":
			r.Scanning = text(in.Body, "enablement_config")
		case "cleanup_policies":
			p := document.CleanupPolicy{ID: text(in.Body, "id"), Action: text(in.Body, "action")}
			for _, c := range in.Body.Blocks {
				if c.Type == "most_recent_versions" {
					n, _ := value(t, c.Body, "keep_count").AsBigFloat().Int64()
					p.MostRecent = &document.MostRecent{PackagePrefixes: list(c.Body, "package_name_prefixes"), KeepCount: int(n)}
					continue
				}
				p.Condition = &document.CleanupCondition{
					TagState: text(c.Body, "tag_state"), TagPrefixes: list(c.Body, "tag_prefixes"), VersionPrefixes: list(c.Body, "version_name_prefixes"),
					PackagePrefixes: list(c.Body, "package_name_prefixes"), OlderThan: age(c.Body, "older_than"), NewerThan: age(c.Body, "newer_than"),
				}
			}
			r.Cleanup = append(r.Cleanup, p)
		}
	}
	return r
}

// require is what the readers need of a test.
type require interface{ Fatalf(string, ...any) }

func value(t require, body *hclsyntax.Body, name string) cty.Value {
	v, problems := body.Attributes[name].Expr.Value(nil)
	if problems.HasErrors() {
		t.Fatalf("%s: %v", name, problems)
	}
	return v
}

// blocks are those of the file of that name.
func blocks(t require, files []File, name string) hclsyntax.Blocks {
	i := slices.IndexFunc(files, func(f File) bool { return f.Name == name })
	parsed, problems := hclparse.NewParser().ParseHCL([]byte(files[i].Content), name)
	if problems.HasErrors() {
		t.Fatalf("%s: %v", name, problems)
	}
	return parsed.Body.(*hclsyntax.Body).Blocks
}

// policyOf draws a clean-up policy.
func policyOf(id string) *rapid.Generator[document.CleanupPolicy] {
	prefixes := rapid.SliceOfNDistinct(rapid.SampledFrom([]string{"a", "b/", "${x}", `"`}), 0, 2, rapid.ID)
	return rapid.Custom(func(t *rapid.T) document.CleanupPolicy {
		p := document.CleanupPolicy{ID: id, Action: rapid.SampledFrom([]string{document.CleanupDelete, document.CleanupKeep}).Draw(t, "action")}
		if p.Action == document.CleanupKeep && rapid.Bool().Draw(t, "newest") {
			p.MostRecent = &document.MostRecent{KeepCount: rapid.IntRange(1, 100).Draw(t, "keep"), PackagePrefixes: prefixes.Draw(t, "packages")}
			return p
		}
		p.Condition = &document.CleanupCondition{
			TagState:    rapid.SampledFrom([]string{"", document.Tagged, document.Untagged, document.AnyTags}).Draw(t, "state"),
			TagPrefixes: prefixes.Draw(t, "tags"), VersionPrefixes: prefixes.Draw(t, "versions"), PackagePrefixes: prefixes.Draw(t, "packages"),
			OlderThan: document.Seconds(rapid.IntRange(1, 1e9).Draw(t, "older")), NewerThan: document.Seconds(rapid.IntRange(0, 1e9).Draw(t, "newer")),
		}
		return p
	})
}

// settingsOf draws what a repository has or shall have, with policies under ids that begin with one of the prefixes.
func settingsOf(prefixes ...string) *rapid.Generator[document.TargetSettings] {
	return rapid.Custom(func(t *rapid.T) document.TargetSettings {
		s := document.TargetSettings{
			ImmutableTags: rapid.Bool().Draw(t, "immutable"), CleanupDryRun: rapid.Bool().Draw(t, "dryRun"),
			Scanning: rapid.SampledFrom([]string{"", document.ScanningInherited, document.ScanningDisabled}).Draw(t, "scanning"),
			Labels:   rapid.MapOfN(rapid.StringMatching("[a-c][a-z0-9_-]{0,3}"), rapid.StringMatching("[a-z0-9_-]{0,3}"), 0, 4).Draw(t, "labels"),
		}
		seen := map[string]bool{}
		for range rapid.IntRange(0, 5).Draw(t, "policies") {
			id := rapid.SampledFrom(prefixes).Draw(t, "prefix") + rapid.SampledFrom([]string{"a", "b", "c"}).Draw(t, "id")
			if !seen[id] {
				seen[id] = true
				s.Cleanup = append(s.Cleanup, policyOf(id).Draw(t, "policy"))
			}
		}
		return s
	})
}

// What Terraform states of a repository is what it is after provision, whatever it was before and whatever is planned; and
// what is imported is what exists.
func TestTerraformAgreesWithProvision(t *testing.T) {
	w := cloudstest.New(t, cloudsim.Options{}, corpus.Flat(1, 1))
	n := 0
	rapid.Check(t, func(t *rapid.T) {
		n++
		planned := document.PlannedRepository{URI: cloudstest.Default().Repository, Description: "ours", Settings: settingsOf("transship-").Draw(t, "planned")}
		planned.URI.ID = fmt.Sprintf("r-%d", n)
		exists := rapid.Bool().Draw(t, "exists")
		if exists {
			create(t, w, planned.URI, settingsOf("transship-", "by-hand-", "x").Draw(t, "found"))
		} else if rapid.Bool().Draw(t, "key") {
			planned.Settings.KMSKey = "projects/p/locations/us/keyRings/r/cryptoKeys/k"
		}
		c := provision.Config{Repositories: []document.PlannedRepository{planned}, Target: w.Target, Finish: rapid.Bool().Draw(t, "finish"), Interval: time.Nanosecond}
		changes, err := provision.Preview(t.Context(), c)
		if err != nil {
			t.Fatal(err)
		}
		files := Terraform(changes, nil)
		if _, err := provision.Apply(t.Context(), c, changes); err != nil {
			t.Fatal(err)
		}
		now, err := w.Target.Repository(t.Context(), planned.URI)
		if err != nil {
			t.Fatal(err)
		}
		now.CreatedAt, now.Mode = time.Time{}, ""
		if diff := cmp.Diff(now, stated(t, blocks(t, files, "repositories.tf")[0]), cmpopts.EquateEmpty()); diff != "" {
			t.Fatalf("the cloud and Terraform differ (-cloud +Terraform):\n%s", diff)
		}
		if imported := len(blocks(t, files, "imports.tf")) == 1; imported != exists {
			t.Fatalf("imported %t, exists %t", imported, exists)
		}
		changes, err = provision.Preview(t.Context(), c)
		if err != nil {
			t.Fatal(err)
		}
		if !c.Finish || exists { // what was created by a finish is finished by the next one
			if !changes[0].Nothing() {
				t.Fatalf("once more: %+v", changes[0].Steps)
			}
			if got := Terraform(changes, nil); !cmp.Equal(stated(t, blocks(t, got, "repositories.tf")[0]), stated(t, blocks(t, files, "repositories.tf")[0]), cmpopts.EquateEmpty()) {
				t.Fatalf("once more it states\n%s", got[2].Content)
			}
		}
	})
}

// create makes a repository that has settings.
func create(t require, w *cloudstest.World, r ref.TargetRepository, s document.TargetSettings) {
	out := arsim.Repository{
		Format: "DOCKER", Description: "theirs", Labels: s.Labels, CleanupPolicyDryRun: s.CleanupDryRun, CleanupPolicies: map[string]arsim.CleanupPolicy{},
		DockerConfig: &arsim.DockerConfig{ImmutableTags: s.ImmutableTags}, VulnerabilityScanningConfig: &arsim.VulnerabilityScanningConfig{EnablementConfig: s.Scanning},
	}
	if s.Scanning == "" {
		out.VulnerabilityScanningConfig = nil
	}
	for _, p := range s.Cleanup {
		q := arsim.CleanupPolicy{ID: p.ID, Action: p.Action}
		if c := p.Condition; c != nil {
			q.Condition = &arsim.CleanupCondition{TagState: c.TagState, TagPrefixes: c.TagPrefixes, VersionNamePrefixes: c.VersionPrefixes,
				PackageNamePrefixes: c.PackagePrefixes, OlderThan: fmt.Sprintf("%ds", c.OlderThan)}
			if c.NewerThan > 0 {
				q.Condition.NewerThan = fmt.Sprintf("%ds", c.NewerThan)
			}
		}
		if m := p.MostRecent; m != nil {
			q.MostRecentVersions = &arsim.MostRecentVersions{PackageNamePrefixes: m.PackagePrefixes, KeepCount: m.KeepCount}
		}
		out.CleanupPolicies[p.ID] = q
	}
	if err := w.AR.CreateRepository(r.Location, r.Project, r.ID, out); err != nil && !strings.Contains(err.Error(), "already") {
		t.Fatalf("%v", err)
	}
}

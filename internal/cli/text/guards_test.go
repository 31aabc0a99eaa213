package text

import (
	"fmt"
	"io"
	"testing"

	"transship/internal/document"
)

// aGovernance is what became of the settings of aPlan's repositories.
func aGovernance() (document.Plan, document.Governance) {
	made := aPlan()
	made.Repositories[0].Settings = document.TargetSettings{
		Labels: map[string]string{"team": "a", "cost-centre": "12"}, Scanning: document.ScanningInherited, CleanupDryRun: true,
		Cleanup: []document.CleanupPolicy{{ID: "transship-a", Action: document.CleanupDelete}, {ID: "transship-b", Action: document.CleanupKeep}},
	}
	made.Repositories[1].Settings = document.TargetSettings{ImmutableTags: true, KMSKey: "projects/my-gcp-project/locations/us/keyRings/images/cryptoKeys/secure"}
	g := document.Governance{Header: header(document.KindGovernance, east), MadeAt: day(0), Layout: "single"}
	for i := range 14 {
		name := fmt.Sprintf("team-%c/service", 'a'+i)
		r := document.GovernedRepository{Source: east.Repository(name), Target: images.Image(name)}
		r.Settings = []document.Translation{
			{Setting: document.SettingImmutability, Was: "tags may move", Becomes: "tags may move", Fate: document.FateExact},
			{Setting: document.SettingScanning, Was: "not scanned", Fate: document.FateNeedless, Reason: "what the target has stays as it is"},
		}
		if i%3 == 0 {
			r.Settings[0] = document.Translation{Setting: document.SettingImmutability, Was: "tags are immutable", Fate: document.FateRefused,
				Reason: "us-docker.pkg.dev/my-gcp-project/app-images holds team-b/service, team-c/service and 7 more too, whose tags may move, and Artifact Registry has one setting for all",
				Decide: "map it to a repository with others that are immutable (layout: grouped does), or accept that its tags can be moved"}
			for j := range 30 {
				r.Doomed = append(r.Doomed, document.Doomed{Digest: sha(fmt.Sprint(i, j)), Source: document.Horizons[j%4], Target: []int{90, 365, document.Never}[j%3]})
			}
		}
		g.Repositories = append(g.Repositories, r)
	}
	g.Targets = []document.GovernedTarget{{Target: images, Settings: []document.Translation{{Setting: document.SettingLifecycle, Was: "12 different policies",
		Fate: document.FateRefused, Reason: "Artifact Registry has at most 10 clean-up policies a repository", Decide: "use layout: grouped"}}}}
	g.Registries = []document.GovernedRegistry{{Source: east, Settings: []document.Translation{{Setting: document.SettingPermission, Item: "replication", Was: "another account may replicate into it",
		Fate: document.FateNeedless, Reason: "nothing is replicated into Artifact Registry"}}}}
	return made, g
}

// planFiles is where the plans of the tests are.
var planFiles = PlanFiles{Plan: "transship/plan.json", Governance: "transship/governance.md", Layout: "transship/layout.yaml"}

func TestGuards(t *testing.T) {
	made, g := aGovernance()
	golden(t, "plan-guards", func(w io.Writer, o Options) { Plan(w, o, made, g, document.Estimate{}, planFiles) })
	for i := range g.Repositories {
		g.Repositories[i].Source.Name = hostile
		for j := range g.Repositories[i].Settings {
			g.Repositories[i].Settings[j] = document.Translation{Setting: hostile, Item: hostile, Was: hostile, Becomes: hostile, Fate: document.FateRefused, Reason: hostile, Decide: hostile}
		}
	}
	golden(t, "plan-guards-hostile", func(w io.Writer, o Options) { Plan(w, o, made, g, document.Estimate{}, planFiles) })
}

// TestGuardsOfManyTargets is a plan whose repositories are too many for a sentence each.
func TestGuardsOfManyTargets(t *testing.T) {
	made, g := aGovernance()
	other := images
	other.ID, other.Project = "a-rather-long-name-of-a-repository-of-images", "other-project"
	made.Repositories = append(made.Repositories, document.PlannedRepository{URI: other, Settings: document.TargetSettings{Scanning: document.ScanningDisabled}})
	g.Targets = append(g.Targets, document.GovernedTarget{Target: other, Settings: []document.Translation{{Setting: document.SettingLayout, Was: "3 repositories",
		Fate: document.FateExact, Reason: "they share tags that can be moved and no key of their own; it differs from tools in readers"}}})
	golden(t, "plan-guards-many", func(w io.Writer, o Options) { Plan(w, o, made, g, document.Estimate{}, planFiles) })
}

package cli

import (
	"github.com/rogpeppe/go-internal/testscript"

	"transship/internal/cloudsim/arsim"
	"transship/internal/cloudsim/ecrsim"
	"transship/internal/document"
)

// guards are the settings that a plan can be made to want.
func guards() map[string]func(*document.TargetSettings) {
	return map[string]func(*document.TargetSettings){
		"labels":    func(s *document.TargetSettings) { s.Labels = map[string]string{"env": "prod", "team": "payments"} },
		"scanning":  func(s *document.TargetSettings) { s.Scanning = document.ScanningInherited },
		"immutable": func(s *document.TargetSettings) { s.ImmutableTags = true },
		"key": func(s *document.TargetSettings) {
			s.KMSKey = "projects/my-gcp-project/locations/us/keyRings/r/cryptoKeys/k"
		},
		"key-elsewhere": func(s *document.TargetSettings) {
			s.KMSKey = "projects/my-gcp-project/locations/europe/keyRings/r/cryptoKeys/k"
		},
		"cleanup": func(s *document.TargetSettings) {
			s.CleanupDryRun = true
			s.Cleanup = []document.CleanupPolicy{{ID: "transship-untagged", Action: document.CleanupDelete,
				Condition: &document.CleanupCondition{TagState: document.Untagged, OlderThan: 14 * document.Day}}}
		},
	}
}

// guard is the script command. It stands for what the settings of the source make of a plan.
func guard(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) == 0 {
		ts.Fatalf("usage: guard FILE WHAT …")
	}
	var made document.Plan
	path := ts.MkAbs(args[0])
	ts.Check(document.Read(path, document.KindPlan, &made))
	for i := range made.Repositories {
		made.Repositories[i].Settings = document.TargetSettings{}
		for _, what := range args[1:] {
			set, ok := guards()[what]
			if !ok {
				ts.Fatalf("there is no guard %q", what)
			}
			set(&made.Repositories[i].Settings)
		}
	}
	ts.Check(document.Write(path, made))
}

// hold is a cloud action: what ECR holds already can no longer move.
func (w *world) hold(args []string) error {
	mode := append(args, "IMMUTABLE")[0]
	for _, r := range w.registry().Repositories() {
		r.Update(func(s *ecrsim.RepositorySettings) { s.Mutability = mode })
	}
	return nil
}

// cleaned is a cloud action: somebody else has a clean-up policy at work in a repository with a label.
func (w *world) cleaned(args []string) error {
	return w.create(args, arsim.Repository{Labels: map[string]string{"team": "platform"}, CleanupPolicies: map[string]arsim.CleanupPolicy{
		"by-hand": {Action: "DELETE", Condition: &arsim.CleanupCondition{TagState: "UNTAGGED", OlderThan: "86400s"}},
	}})
}

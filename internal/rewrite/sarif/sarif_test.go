package sarif

import (
	"bytes"
	"encoding/json"
	"testing"

	"transship/internal/rewrite/mention"
)

// What the schema of SARIF 2.1.0 requires is there, and lines, paths and levels are as code hosts want them.
func TestWrite(t *testing.T) {
	t.Parallel()
	var b bytes.Buffer
	findings := []mention.Finding{
		{File: "ci/deploy it.sh", Line: 7, Kind: mention.PipelineEdit, Text: "sed -i …", Why: "It matches nothing.", Do: "Change it."},
		{File: "ci/deploy it.sh", Line: 9, Kind: mention.PipelineEdit, Text: "sed -i …", Why: "It matches nothing.", Do: "Change it."},
		{File: "x", Kind: mention.Unreadable},
		{File: "/abs/a%b.yaml", Line: 1, Kind: "new-kind", Why: "?"},
		{File: "c:x", Line: 1, Kind: mention.CleanUp, Why: "?"},
	}
	if err := Write(&b, "1.0", findings); err != nil {
		t.Fatal(err)
	}
	var doc struct {
		Schema  string `json:"$schema"`
		Version string
		Runs    []struct {
			Tool struct {
				Driver struct {
					Name  string
					Rules []struct {
						ID               string
						ShortDescription struct{ Text string }
						Help             struct{ Text string }
					}
				}
			}
			Results []struct {
				RuleID, Level string
				RuleIndex     int
				Message       struct{ Text string }
				Locations     []struct {
					PhysicalLocation struct {
						ArtifactLocation struct{ URI, URIBaseID string }
						Region           *struct{ StartLine int }
					}
				}
				PartialFingerprints map[string]string
			}
		}
	}
	if err := json.Unmarshal(b.Bytes(), &doc); err != nil {
		t.Fatal(err)
	}
	if doc.Schema == "" || doc.Version != "2.1.0" || len(doc.Runs) != 1 || doc.Runs[0].Tool.Driver.Name == "" || len(doc.Runs[0].Results) != len(findings) {
		t.Fatalf("%s", b.Bytes())
	}
	ids := map[string]bool{}
	for _, r := range doc.Runs[0].Tool.Driver.Rules {
		if ids[r.ID] || r.ID == "" || r.ShortDescription.Text == "" || r.Help.Text == "" {
			t.Errorf("rule %+v", r)
		}
		ids[r.ID] = true
	}
	prints := map[string]bool{}
	for n, want := range []struct {
		level, uri string
		line       int
	}{{"error", "ci/deploy%20it.sh", 7}, {"error", "ci/deploy%20it.sh", 9}, {"warning", "x", 0}, {"warning", "file:///abs/a%25b.yaml", 1}, {"note", "./c:x", 1}} {
		r := doc.Runs[0].Results[n]
		at := r.Locations[0].PhysicalLocation
		if r.Level != want.level || at.ArtifactLocation.URI != want.uri || (at.Region == nil) != (want.line == 0) || at.Region != nil && at.Region.StartLine != want.line {
			t.Errorf("%d: %+v", n, r)
		}
		if r.Message.Text == "" || doc.Runs[0].Tool.Driver.Rules[r.RuleIndex].ID != r.RuleID {
			t.Errorf("%d: %+v", n, r)
		}
		for _, p := range r.PartialFingerprints {
			if prints[p] {
				t.Errorf("%d: its fingerprint is another's", n)
			}
			prints[p] = true
		}
	}
}

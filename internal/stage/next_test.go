package stage

import (
	"testing"
)

// What comes first: the wave that wants something most, then the references, then the gates.
func TestNext(t *testing.T) {
	done := func() []WaveStatus {
		return []WaveStatus{{Name: "one", State: StateVerified}, {Name: "two", State: StateVerified}}
	}
	written := &RewriteStatus{Written: true, Edits: 3}
	seen := func(n WaveNow) *WaveNow { return &n }
	arrived := seen(WaveNow{Source: &SourceNow{Pushed: 2}, Target: &TargetNow{References: 4, InPlace: 4, Arrived: 2}})
	pushed := seen(WaveNow{Source: &SourceNow{Pushed: 2}, Target: &TargetNow{References: 4, InPlace: 4}})
	for _, c := range []struct {
		name string
		s    Status
		want string
	}{
		{"nothing", Status{Waves: []WaveStatus{{State: StateNew}}}, "transship plan"},
		{"pushed since it was listed", Status{Waves: []WaveStatus{{State: StateListed, Now: pushed}}}, "transship inventory"},
		{"trouble comes first", Status{Waves: []WaveStatus{{Name: "a", State: StateNew}, {Name: "b", State: StateIncomplete, Failed: 1}}}, "transship copy --retry-failed --wave b"},
		{"missing", Status{Waves: []WaveStatus{{State: StateIncomplete, Missing: 1}}}, "transship migrate"},
		{"mended", Status{Waves: []WaveStatus{{State: StateIncomplete, Missing: 1, Now: arrived}}}, "transship verify"},
		{"mismatched", Status{Waves: []WaveStatus{{State: StateIncomplete, Mismatched: 1}}}, "transship verify"},
		{"copied", Status{Waves: []WaveStatus{{State: StateCopied}}}, "transship verify"},
		{"copied, and pushed since", Status{Waves: []WaveStatus{{State: StateCopied, Now: pushed}}}, "transship migrate"},
		{"stale", Status{Waves: []WaveStatus{{State: StateStale, Now: pushed}}}, "transship migrate"},
		{"stale, and arrived", Status{Waves: []WaveStatus{{State: StateStale, Now: arrived}}}, "transship verify"},
		{"verified", Status{Waves: done()}, "transship rewrite PATH…"},
		{"shown", Status{Waves: done(), Rewrite: &RewriteStatus{Edits: 3}}, "transship rewrite PATH… --write"},
		{"undecided", Status{Waves: done(), Rewrite: &RewriteStatus{Written: true, Findings: 1}}, "transship rewrite PATH…"},
		{"rewritten", Status{Waves: done(), Rewrite: written}, "transship cutover PATH…"},
		{"closed", Status{Waves: done(), Rewrite: written, Cutover: &CutoverStatus{}}, "transship cutover PATH…"},
		{"open", Status{Waves: done(), Rewrite: written, Cutover: &CutoverStatus{Open: true}}, "transship cutover PATH… --leave"},
		{"cannot be left", Status{Waves: done(), Rewrite: written, Cutover: &CutoverStatus{Leave: true}}, "transship cutover PATH… --leave"},
		{"left", Status{Waves: done(), Rewrite: written, Cutover: &CutoverStatus{Leave: true, Open: true}}, ""},
	} {
		if got := c.s.next(); got.Command != c.want || got.Command != "" && got.Why == "" {
			t.Errorf("%s: %q (%s), want %q", c.name, got.Command, got.Why, c.want)
		}
	}
	waves := Status{Waves: done(), Rewrite: written}
	waves.Waves[0].Cutover = &CutoverStatus{Open: true}
	if got := waves.next().Command; got != "transship cutover PATH… --wave two" {
		t.Errorf("one gate is open: %q", got)
	}
	waves.Waves[1].Cutover = &CutoverStatus{Open: true}
	if got := waves.next().Command; got != "transship cutover PATH… --leave" {
		t.Errorf("both are open: %q", got)
	}
}

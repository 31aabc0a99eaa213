package report

import (
	"cmp"
	"maps"
	"slices"
	"strings"
	"time"

	"transship/internal/document"
)

// event is one line of the timeline.
type event struct {
	from, to time.Time
	what     string
	outcome  string
	tone     Tone
	came     string
}

// timeline says what happened when: by the history of the commands, or else by the documents' own times.
func (m *maker) timeline() (Section, []Decision) {
	events := m.runs()
	s := Section{ID: "timeline", Title: "Timeline"}
	if len(events) == 0 {
		events = m.documents()
		s.Lead = "There is no history of the commands: this is what the documents themselves say."
	}
	if len(events) == 0 {
		return Section{}, nil
	}
	t := Table{ID: "timeline-rows", Caption: "What happened, the latest first", Columns: columns(
		"Ended", Number, "What", Text, "Took", Number, "Outcome", Status, "Came of it", Text)}
	slices.SortStableFunc(events, func(a, b event) int { return b.to.Compare(a.to) })
	for _, e := range events {
		took := Cell{}
		if !e.from.IsZero() {
			took = Cell{Text: m.Units.Duration(e.to.Sub(e.from)), Key: e.to.Sub(e.from).Seconds(), Keyed: true}
		}
		t.Rows = append(t.Rows, []Cell{when(e.to), m.text(e.what), took, {Text: m.Units.Clean(e.outcome), Tone: e.tone}, m.text(e.came)})
	}
	capped(&t, "history.jsonl")
	s.Tables = []Table{t}
	return s, nil
}

func (m *maker) runs() []event {
	out := make([]event, 0, len(m.Runs))
	for _, r := range m.Runs {
		what := r.Command
		for _, part := range []struct{ word, value string }{{"wave", r.Wave}, {"shard", r.Shard}} {
			if part.value != "" {
				what += ", " + part.word + " " + part.value
			}
		}
		tone := map[document.RunOutcome]Tone{document.RunDone: Good, document.RunIncomplete: Warn, document.RunFailed: Bad, document.RunStopped: Warn}[r.Outcome]
		out = append(out, event{from: r.StartedAt, to: r.EndedAt, what: what, outcome: string(r.Outcome), tone: tone, came: cmp.Or(r.Summary, r.Error)})
	}
	return out
}

// documents are the times that documents have.
func (m *maker) documents() []event {
	var out []event
	add := func(from, to time.Time, what, came string) {
		if !to.IsZero() {
			out = append(out, event{from: from, to: to, what: what, came: came})
		}
	}
	if g := m.Governance; g != nil {
		add(time.Time{}, g.MadeAt, "plan", "")
	}
	if r := m.Results; r != nil {
		add(r.StartedAt, r.EndedAt, "copy", m.Units.Number(r.Success)+" copied, "+m.Units.Number(r.Skipped)+" there already, "+m.Units.Number(r.Failed)+" failed")
	}
	if m.Verification != nil {
		add(time.Time{}, m.counts.newest, "verify", m.Units.Number(m.counts.verified)+" verified")
	}
	if r := m.Rewrite; r != nil {
		add(time.Time{}, r.MadeAt, "rewrite", m.Units.Count(len(r.Edits), "reference"))
	}
	if y := m.Sync; y != nil {
		add(y.Cycle.StartedAt, y.Cycle.EndedAt, "sync", m.Units.Number(y.Cycle.Copied)+" copied")
	}
	if c := m.Cutover; c != nil {
		add(time.Time{}, c.CheckedAt, "cutover", "")
	}
	return out
}

// traffic is what was asked of each host, and what the last copy moved.
func (m *maker) traffic() (Section, []Decision) {
	s := Section{ID: "traffic", Title: "Requests and throttling"}
	if r := m.Results; r != nil {
		n := func(i int64) string { return m.Units.Number(int(i)) }
		t := r.Traffic
		s.Figures = []Figure{
			{Name: "Read by the last copy", Value: m.Units.Bytes(t.BytesRead) + " in " + m.Units.Count(int(t.BlobsRead), "blob")},
			{Name: "Manifests read and written", Value: n(t.ManifestsRead) + " and " + n(t.ManifestsWritten)},
			{Name: "Tags written", Value: n(t.TagsWritten)}, {Name: "Blobs mounted", Value: n(t.BlobsMounted)}, {Name: "Blobs found there", Value: n(t.BlobsPresent)},
		}
	}
	hosts, read := map[string]document.HostTraffic{}, int64(0)
	for _, r := range m.Runs {
		read += r.BytesRead
		for _, h := range r.Hosts {
			sum := hosts[h.Host]
			sum.Requests, sum.Throttled, sum.Failed = sum.Requests+h.Requests, sum.Throttled+h.Throttled, sum.Failed+h.Failed
			hosts[h.Host] = sum
		}
	}
	if len(m.Runs) > 0 {
		s.Figures = append(s.Figures, Figure{Name: "Read by all runs", Value: m.Units.Bytes(read)})
	}
	if len(hosts) > 0 {
		t := Table{ID: "host-rows", Caption: "Requests of all runs, each attempt of them", Columns: columns(
			"Host", Name, "Requests", Number, "Throttled", Number, "Failed", Number)}
		for _, host := range slices.Sorted(maps.Keys(hosts)) {
			h := hosts[host]
			t.Rows = append(t.Rows, []Cell{m.text(host), m.number(int(h.Requests), Plain), m.number(int(h.Throttled), Warn), m.number(int(h.Failed), Bad)})
		}
		s.Tables = []Table{t}
	}
	if len(s.Figures) == 0 && len(s.Tables) == 0 {
		return Section{}, nil
	}
	return s, nil
}

// settings are the versions and the flags of the runs.
func (m *maker) settings() (Section, []Decision) {
	s := Section{ID: "settings", Title: "Versions and settings"}
	s.Figures = []Figure{{Name: "This report", Value: cmp.Or(m.Units.Clean(m.Version), "a build without a version") + ", " + moment(m.MadeAt)}}
	if sources := m.report.Sources; len(sources) > 0 {
		s.Figures = append(s.Figures, Figure{Name: "From", Value: strings.Join(sources, ", ")})
	}
	target := m.report.Target
	if m.Migration.Mapping != "" {
		target = strings.TrimPrefix(target+", by mapping rules "+m.Migration.Mapping, ", ")
	}
	s.Figures = append(s.Figures, Figure{Name: "To", Value: target})
	if m.Plan != nil {
		s.Figures = append(s.Figures, m.scope(m.Plan.Scope)...)
	}
	t := Table{ID: "settings-rows", Caption: "Settings of the runs", Columns: columns("Command", Text, "Version", Text, "Flags", Name, "Runs", Number)}
	seen := map[string]int{}
	for _, r := range m.Runs {
		flags := strings.Join(r.Settings, " ")
		key := r.Command + "\x00" + r.Version + "\x00" + flags
		if at, ok := seen[key]; ok {
			t.Rows[at][3] = m.number(int(t.Rows[at][3].Key)+1, Plain)
			continue
		}
		seen[key] = len(t.Rows)
		t.Rows = append(t.Rows, []Cell{m.text(r.Command), m.text(r.Version), m.text(flags), m.number(1, Plain)})
	}
	if len(t.Rows) > 0 {
		s.Tables = []Table{t}
	}
	return s, nil
}

// scope says what the plan was narrowed to.
func (m *maker) scope(s document.Scope) []Figure {
	var out []Figure
	add := func(name string, values []string) {
		if len(values) > 0 {
			out = append(out, Figure{Name: name, Value: m.Units.Clean(strings.Join(values, ", "))})
		}
	}
	add("Included", s.Include)
	add("Excluded", s.Exclude)
	if s.Wave != nil {
		add("Wave", []string{s.Wave.Name})
	}
	if !s.Selection.IsZero() {
		add("Selected", []string{"some of the images alone: plan.json says which"})
	}
	return out
}

// span is a moment, or from when to when.
func span(from, to time.Time) string {
	a, b := moment(from), moment(to)
	if a == b {
		return a
	}
	return a + " to " + b
}

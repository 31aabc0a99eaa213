package report

import (
	"cmp"
	"fmt"
	"strings"
	"time"

	"transship/internal/document"
)

// estimate is what the plan would cost.
func (m *maker) estimate() (Section, []Decision) {
	e := m.Estimate
	if e == nil {
		return Section{}, nil
	}
	u := m.Units
	egress, cost := m.egress(e.Egress)
	storage, monthly := m.storage(e.Storage)
	s := Section{ID: "estimate", Title: "Estimate", Lead: "List prices, written down on " + u.Clean(e.PricesAsOf) + ". " + u.Clean(strings.Join(e.Assumptions, " "))}
	s.Figures = []Figure{
		{Name: "To read from ECR", Value: u.Bytes(e.Move.Bytes) + " in " + u.Count(e.Move.Blobs, "blob")}, {Name: "At the target already", Value: u.Bytes(e.Move.PresentBytes)},
		{Name: "Takes at least", Value: m.seconds(e.Time.Total).Text}, {Name: "What rules the time", Value: m.ruler(e.Time)},
	}
	if e.Time.Bandwidth > 0 {
		s.Figures = append(s.Figures, Figure{Name: "At a bandwidth of", Value: strings.TrimSuffix(u.Bits(e.Time.Bandwidth)+", "+u.Clean(e.Time.Origin), ", ")})
	}
	if e.Time.Machines > 1 {
		s.Figures = append(s.Figures, Figure{Name: "On", Value: u.Count(e.Time.Machines, "machine")})
	}
	s.Figures = append(s.Figures, Figure{Name: "Egress", Value: money(cost, 2).Text}, Figure{Name: "Storage a month", Value: money(monthly, 2).Text})
	for _, t := range []Table{m.loads(e.Loads), m.bandwidths(e.Time), egress, storage, m.savings(e.Savings)} {
		if len(t.Rows) > 0 {
			s.Tables = append(s.Tables, t)
		}
	}
	return s, nil
}

// ruler says which of bandwidth and quota is slower, and by how much.
func (m *maker) ruler(t document.EstimatedTime) string {
	if t.TransferFor == 0 && t.RequestsFor == 0 {
		return m.Units.Clean(cmp.Or(t.BoundBy, t.Bound))
	}
	text := "the " + m.Units.Clean(t.Bound)
	if t.Bound == "quota" {
		text += ", " + m.Units.Clean(t.BoundBy)
	}
	return text + ": the bytes take " + m.seconds(t.TransferFor).Text + ", the requests " + m.seconds(t.RequestsFor).Text
}

// loads are the requests against the quotas of both sides.
func (m *maker) loads(list []document.EstimatedLoad) Table {
	t := Table{ID: "load-rows", Caption: "Requests against the quotas", Columns: columns(
		"Side", Text, "Where", Name, "Requests of", Name, "Number", Number, "A minute, at most", Number, "Take at least", Number)}
	for _, l := range list {
		quota, take := Cell{Text: "not known", Keyed: true}, Cell{}
		if l.PerMinute > 0 {
			quota, take = m.number(int(l.PerMinute), Plain), m.seconds(l.Seconds)
		}
		t.Rows = append(t.Rows, []Cell{m.text(l.Side), m.text(l.Where), m.text(l.Kind), m.number(int(l.Requests), Plain), quota, take})
	}
	return t
}

// bandwidths are how long it takes at other bandwidths; the caption says above which more of it helps nothing.
func (m *maker) bandwidths(t document.EstimatedTime) Table {
	out := Table{ID: "bandwidth-rows", Caption: "Time by bandwidth", Columns: columns("Bandwidth", Text, "Takes at least", Number, "What rules", Text)}
	if t.QuotaRulesAt > 0 {
		out.Caption += "; above " + m.Units.Bits(t.QuotaRulesAt) + " the quotas rule"
	}
	for _, at := range t.AtBandwidths {
		out.Rows = append(out.Rows, []Cell{{Text: m.Units.Bits(at.Bandwidth), Key: float64(at.Bandwidth), Keyed: true}, m.seconds(at.Total), m.text(at.Bound)})
	}
	return out
}

func (m *maker) egress(list []document.EstimatedEgress) (t Table, cost float64) {
	t = Table{ID: "egress-rows", Caption: "What AWS charges for the bytes", Columns: columns("From", Name, "To", Name, "Route", Text, "Bytes", Number, "Per GB", Number, "Cost", Number)}
	for _, g := range list {
		cost += g.Cost
		t.Rows = append(t.Rows, []Cell{m.text(g.Source.String()), m.text(g.Target), m.text(g.Route), m.bytes(g.Bytes), money(g.PerGB, 4), money(g.Cost, 2)})
	}
	return t, cost
}

func (m *maker) storage(list []document.EstimatedStorage) (t Table, monthly float64) {
	t = Table{ID: "storage-rows", Caption: "Storage at the target", Columns: columns("Repository", Name, "Before", Number, "After", Number, "A month", Number)}
	for _, s := range list {
		monthly += s.Monthly
		t.Rows = append(t.Rows, []Cell{m.text(s.Target.String()), m.bytes(s.Before), m.bytes(s.After), money(s.Monthly, 2)})
	}
	return t, monthly
}

func (m *maker) savings(list []document.EstimatedSaving) Table {
	t := Table{ID: "saving-rows", Caption: "What leaving images out would save", Columns: columns(
		"Images", Text, "Count", Number, "Bytes", Number, "Once", Number, "A month", Number, "How", Name)}
	for _, s := range list {
		if s.Unknown != "" {
			t.Rows = append(t.Rows, []Cell{m.text(s.Reason), {}, {}, {}, {}, m.text("unknown: " + s.Unknown)})
			continue
		}
		t.Rows = append(t.Rows, []Cell{m.text(s.Reason), m.number(s.Images, Plain), m.bytes(s.Bytes), money(s.Egress, 2), money(s.Monthly, 2), m.text(s.Flag)})
	}
	return t
}

// money is US dollars.
func money(dollars float64, digits int) Cell {
	text := fmt.Sprintf("$%.*f", digits, dollars)
	if digits == 2 && dollars > 0 && dollars < 0.01 {
		text = "<$0.01" // which is not for nothing
	}
	return Cell{Text: text, Key: dollars, Keyed: true}
}

func (m *maker) seconds(n float64) Cell {
	return Cell{Text: m.Units.Duration(time.Duration(n * float64(time.Second))), Key: n, Keyed: true}
}

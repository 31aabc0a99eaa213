package text

import (
	"fmt"
	"strconv"
	"strings"
	"time"

	"transship/internal/cli/term"
	"transship/internal/document"
)

// willCost says what the plan costs, in a line for each kind; with -v also where the time goes and what is assumed. Where
// nothing is left to write, it says nothing.
func (p *page) willCost(e document.Estimate) {
	if e.Kind == "" || e.Move.References == 0 {
		return
	}
	p.section("It will cost", "estimated")
	p.labelled("Bytes", costBytes(e.Move), nil)
	p.labelled("Requests", costRequests(e), nil)
	p.labelled("Time", costTime(e), nil)
	p.labelled("Egress", costEgress(e), nil)
	p.labelled("Storage", costStorage(e), nil)
	p.savings(e.Savings)
	if !p.o.All {
		p.say(item, "List prices, written down on "+e.PricesAsOf+"; -v shows what is assumed.", p.s.Faint)
		return
	}
	p.blank()
	p.loads(e.Loads)
	p.bandwidths(e.Time.AtBandwidths)
	for _, sentence := range e.Assumptions {
		p.say(item, "- "+sentence, p.s.Faint)
	}
}

func costBytes(m document.EstimatedMove) string {
	text := fmt.Sprintf("%s leave ECR; shared layers once, all is %s", term.Bytes(m.Bytes), term.Bytes(m.UniqueBytes))
	if m.PresentBytes > 0 {
		text += ", of which " + term.Bytes(m.PresentBytes) + " need not move"
	}
	if m.ListedBytes > 0 {
		text += "; the sizes that ECR lists add up to " + term.Bytes(m.ListedBytes)
	}
	return text + "."
}

// costRequests adds up the requests of each side; what counts as a write at the target is among its requests already.
func costRequests(e document.Estimate) string {
	var source, target, writes int64
	for _, l := range e.Loads {
		switch {
		case l.Side == "source":
			source += l.Requests
		case l.Kind == "writes":
			writes += l.Requests
		default:
			target += l.Requests
		}
	}
	return fmt.Sprintf("%s to AWS, %s to Artifact Registry, %s of them writes.", term.Number(source), term.Number(target), term.Number(writes))
}

func seconds(s float64) time.Duration { return time.Duration(s * float64(time.Second)) }

func costTime(e document.Estimate) string {
	t := e.Time
	text := fmt.Sprintf("At least %s. At %s (%s) the bytes take %s, at the quotas the requests take %s: ",
		term.Left(seconds(t.Total)), term.Bits(t.Bandwidth), t.Origin, term.Left(seconds(t.TransferFor)), term.Left(seconds(t.RequestsFor)))
	text += map[string]string{"quota": "the quota rules", "bandwidth": "the bandwidth rules"}[t.Bound]
	if t.Bound == "quota" {
		text += " (" + t.BoundBy + ")"
	}
	if t.Machines > 1 {
		text += ", on " + term.Count(t.Machines, "machine")
	}
	return text + "."
}

func dollars(v float64) string {
	if v > 0 && v < 0.01 {
		return "<0.01 USD"
	}
	whole, cents, _ := strings.Cut(strconv.FormatFloat(v, 'f', 2, 64), ".")
	if n, err := strconv.ParseInt(whole, 10, 64); err == nil {
		whole = term.Number(n)
	}
	return whole + "." + cents + " USD"
}

func costEgress(e document.Estimate) string {
	var sum float64
	var naive int64
	seen := map[string]bool{}
	var routes []string
	for _, r := range e.Egress {
		sum += r.Cost
		naive += r.NaiveBytes
		if text := fmt.Sprintf("%s, %.4g a GB", r.Route, r.PerGB); !seen[text] {
			seen[text] = true
			routes = append(routes, text)
		}
	}
	text := dollars(sum) + " to AWS"
	if shown := min(len(routes), 2); shown > 0 {
		text += " (" + strings.Join(routes[:shown], "; ")
		if shown < len(routes) {
			text += fmt.Sprintf("; %d more", len(routes)-shown)
		}
		text += ")"
	}
	if naive > e.Move.Bytes {
		text += "; a copy of each tag by itself would move " + term.Bytes(naive)
	}
	return text + "."
}

func costStorage(e document.Estimate) string {
	var before, after int64
	var monthly float64
	for _, s := range e.Storage {
		before, after, monthly = before+s.Before, after+s.After, monthly+s.Monthly
	}
	return fmt.Sprintf("%s in Artifact Registry now, %s after: %s a month.", term.Bytes(before), term.Bytes(after), dollars(monthly))
}

// savings says what could be left out; of what would save nothing, only that.
func (p *page) savings(list []document.EstimatedSaving) {
	said := false
	for _, s := range list {
		if s.Unknown == "" && s.Images == 0 {
			continue
		}
		said = true
		p.labelled(map[string]string{
			document.SavingNotPulled: "Not pulled", document.SavingUntagged: "Untagged", document.SavingExpired: "Expired",
		}[s.Reason], costSaving(s), nil)
	}
	if !said {
		p.labelled("Savings", "None: no image is unused, untagged or expired by ECR's own policy.", nil)
	}
}

func costSaving(s document.EstimatedSaving) string {
	if s.Unknown != "" {
		return "Not known: " + s.Unknown + "."
	}
	return fmt.Sprintf("%s saves %s, %s a month, of %s.", s.Flag, term.Bytes(s.Bytes), dollars(s.Monthly), term.Count(s.Images, "image"))
}

func (p *page) loads(loads []document.EstimatedLoad) {
	t := &term.Table{Indent: item, Columns: []term.Column{
		{Head: "Where", Shrink: true}, {Head: "Requests of", Shrink: true}, {Head: "Number", Right: true}, {Head: "A minute", Right: true}, {Head: "Take", Right: true},
	}}
	for _, l := range loads {
		quota, take := "not known", ""
		if l.PerMinute > 0 {
			quota, take = term.Number(l.PerMinute), term.Duration(seconds(l.Seconds))
		}
		t.Row(l.Where, l.Kind, term.Number(l.Requests), quota, take)
	}
	p.table(t)
	p.blank()
}

func (p *page) bandwidths(at []document.At) {
	t := &term.Table{Indent: item, Columns: []term.Column{{Head: "Bandwidth"}, {Head: "Takes", Right: true}, {Head: "What rules"}}}
	for _, a := range at {
		t.Row(term.Bits(a.Bandwidth), term.Left(seconds(a.Total)), a.Bound)
	}
	p.table(t)
	p.blank()
}

package stage

import (
	"transship/internal/document"
	"transship/internal/estimate"
	"transship/internal/governance"
)

// Costs are what an estimate follows from, besides the plan.
type Costs struct {
	Prices    estimate.Prices
	Bandwidth int64 // bytes a second of one machine, as the user gave it; 0 takes what the last copy measured, if it did
	Machines  int   // that copy the plan; 0 is one
	// MaxBandwidth and MaxRequestsPerSecond are the caps that the copy will have; 0 is none.
	MaxBandwidth         int64
	MaxRequestsPerSecond float64
}

// estimate writes estimate.json of a plan that was just made.
func (p *Pipeline) estimate(inv document.Inventory, content document.Content, ahead *ahead, made document.Plan) error {
	if p.Costs == nil {
		return nil
	}
	c := estimate.Config{
		Plan: made, Inventory: inv, Prices: p.Costs.Prices, Machines: p.Costs.Machines,
		MaxBandwidth: p.Costs.MaxBandwidth, MaxRequestsPerSecond: p.Costs.MaxRequestsPerSecond, Now: p.Now(),
	}
	if p.Guards != nil {
		settings, err := ahead.wait()
		if err != nil {
			return err
		}
		c.Expired = governance.Expired(p.guarding(inv, settings, content))
	}
	if c.Bandwidth = (estimate.Bandwidth{PerSecond: p.Costs.Bandwidth, Origin: estimate.Given}); p.Costs.Bandwidth == 0 {
		c.Bandwidth = p.measured()
	}
	return document.Write(p.Workspace.Estimate(), estimate.Make(c))
}

// measured is the bandwidth of the last copy; the zero value where there is none that tells.
func (p *Pipeline) measured() estimate.Bandwidth {
	var last document.Results
	if err := document.ReadFor(p.Workspace.Results(), document.KindResults, p.Rules.Migration, &last); err != nil {
		p.Logger.Debug("no earlier results tell a bandwidth", "error", err)
		return estimate.Bandwidth{}
	}
	measured, _ := estimate.Measure(last)
	return measured
}

// ReadEstimate reads estimate.json.
func (p *Pipeline) ReadEstimate() (document.Estimate, error) {
	var e document.Estimate
	err := p.read(p.Workspace.Estimate(), document.KindEstimate, "plan", &e)
	return e, err
}

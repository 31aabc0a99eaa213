package cli

import (
	"cmp"
	"errors"
	"math"

	"github.com/spf13/cobra"

	"transship/internal/estimate"
	"transship/internal/ref"
	"transship/internal/stage"
)

// addCosts gives cmd, which plans, the flag that the estimate follows.
func (a *app) addCosts(cmd *cobra.Command) {
	cmd.Flags().StringVar(&a.flags.bandwidth, "bandwidth", "", "estimate the time at `RATE`, such as 400Mbit a second")
}

// costs reads what the estimate follows from; nil where the command makes none.
func (a *app) costs(s settings) (*stage.Costs, error) {
	c := &stage.Costs{Machines: s.Shards, MaxBandwidth: s.limits.MaxBandwidth, MaxRequestsPerSecond: s.limits.MaxRequestsPerSecond}
	if text := cmp.Or(a.flags.bandwidth, s.Bandwidth); text != "" {
		var err error
		if c.Bandwidth, err = parseRate(text); err != nil {
			return nil, usagef("--bandwidth: %w", err)
		}
	}
	for n, entry := range s.Prices {
		where := s.line("prices", n)
		p, err := entry.parse()
		if err != nil {
			return nil, usagef("%s: %w", where, err)
		}
		if entry.Egress != "" {
			c.Prices.Egress = append(c.Prices.Egress, p)
		} else {
			c.Prices.Storage = append(c.Prices.Storage, p)
		}
	}
	if !a.flags.costs {
		return nil, nil //nolint:nilnil // which says that nothing is estimated
	}
	return c, nil
}

func (p price) parse() (estimate.Price, error) {
	if (p.Egress == "") == (p.Storage == "") {
		return estimate.Price{}, errors.New("a price is either of egress, by AWS region, or of storage, by location of Artifact Registry: want one of the two")
	}
	if p.PerGB == nil || !(*p.PerGB >= 0) || math.IsInf(*p.PerGB, 1) { // which NaN is not, either
		return estimate.Price{}, errors.New("per-gb must be a number of US dollars, 0 or more")
	}
	from, err := ref.ParseGlob(cmp.Or(p.Egress, p.Storage))
	return estimate.Price{From: from, PerGB: *p.PerGB}, err
}

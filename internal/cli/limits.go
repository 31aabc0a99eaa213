package cli

import (
	"cmp"
	"errors"
	"fmt"
	"math"
	"strconv"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"transship/internal/clouds"
)

// limits are what the flags say of how much is asked of the registries.
type limits struct {
	requests    float64
	concurrency int
	bandwidth   string
	horizon     string
	image       string
}

// addLimits gives cmd the flags that cap the requests to each host.
func (a *app) addLimits(cmd *cobra.Command) {
	f, l := cmd.Flags(), &a.flags.limits
	f.Float64Var(&l.requests, "max-requests-per-second", 0, "at most `N` requests a second to each host")
	f.IntVar(&l.concurrency, "max-concurrency", 0, "at most `N` requests under way to each host")
	f.StringVar(&l.horizon, "retry-horizon", "", "give up after `DURATION` of failures (10m)")
	inGroup(cmd, groupLimits, "max-requests-per-second", "max-concurrency", "retry-horizon")
}

// addCopying gives cmd, which reads layers, the flags that cap how fast and how long.
func (a *app) addCopying(cmd *cobra.Command) {
	cmd.Flags().StringVar(&a.flags.limits.bandwidth, "max-bandwidth", "",
		"read layers at `RATE` at most: 50MB or 50MiB (bytes), 400Mbit (bits) a second")
	cmd.Flags().StringVar(&a.flags.limits.image, "image-timeout", "",
		"fail images that take longer than `DURATION`")
	inGroup(cmd, groupLimits, "max-bandwidth", "image-timeout")
}

// mergeLimits lets the flags win over the file.
func (a *app) mergeLimits(f *file) {
	l := a.flags.limits
	f.MaxRequestsPerSecond = cmp.Or(l.requests, f.MaxRequestsPerSecond)
	f.MaxConcurrency = cmp.Or(l.concurrency, f.MaxConcurrency)
	f.MaxBandwidth = cmp.Or(l.bandwidth, f.MaxBandwidth)
	f.RetryHorizon = cmp.Or(l.horizon, f.RetryHorizon)
	f.ImageTimeout = cmp.Or(l.image, f.ImageTimeout)
}

// limits reads what the file, with the flags laid over it, says of how much is asked of the registries.
func (f file) limits() (*clouds.Limits, error) {
	out := &clouds.Limits{MaxRequestsPerSecond: f.MaxRequestsPerSecond, MaxConcurrency: f.MaxConcurrency}
	if n := f.MaxRequestsPerSecond; !(n >= 0) || math.IsInf(n, 1) { // which NaN is not, either
		return nil, usagef("--max-requests-per-second: %v is not a number of requests", n)
	}
	if f.MaxConcurrency < 0 {
		return nil, usagef("--max-concurrency: %d is not a number of requests", f.MaxConcurrency)
	}
	if f.MaxBandwidth != "" {
		var err error
		if out.MaxBandwidth, err = parseRate(f.MaxBandwidth); err != nil {
			return nil, usagef("--max-bandwidth: %w", err)
		}
	}
	var err error
	out.RetryHorizon, err = parseSpan("--retry-horizon", f.RetryHorizon)
	return out, err
}

// minSpan is the least time that makes sense: who asks for less has left out a unit, or would give up what merely waits.
const minSpan = time.Second

// parseSpan reads the duration that a flag or its key in the file says; 0 where it says nothing.
func parseSpan(flag, text string) (time.Duration, error) {
	if text == "" {
		return 0, nil
	}
	d, err := time.ParseDuration(strings.TrimSpace(text))
	switch {
	case err != nil:
		return 0, usagef("%s: %q is not a duration: want a number with a unit, such as 90s, 10m or 2h", flag, text)
	case d < minSpan:
		return 0, usagef("%s: %s is less than a second", flag, text)
	}
	return d, nil
}

// minRate is the least rate in bytes a second that makes sense: who asks for less has left out a unit.
const minRate = 1000

// rateUnits are the units of rates, in bytes, by their names in lower case. "Mb" is not among them: it is a megabit to some
// and a megabyte to others.
func rateUnits() map[string]float64 {
	return map[string]float64{
		"": 1, "b": 1, "kb": 1e3, "mb": 1e6, "gb": 1e9, "kib": 1 << 10, "mib": 1 << 20, "gib": 1 << 30,
		"bit": 1. / 8, "kbit": 1e3 / 8, "mbit": 1e6 / 8, "gbit": 1e9 / 8,
	}
}

// parseRate reads a rate and returns it in bytes a second.
func parseRate(text string) (int64, error) {
	rest := strings.TrimSuffix(strings.TrimSpace(text), "/s")
	unit := strings.TrimLeft(rest, "0123456789.")
	number, err := strconv.ParseFloat(rest[:len(rest)-len(unit)], 64)
	unit = strings.TrimSpace(unit)
	size, known := rateUnits()[strings.ToLower(unit)]
	switch {
	case err != nil || !known:
		return 0, fmt.Errorf("%q is not a rate: want bytes a second, such as 50MB or 50MiB, or bits, such as 400Mbit", text)
	case strings.HasSuffix(unit, "b"):
		upper := text[:len(text)-len(strings.TrimLeft(text, "0123456789. "))] + strings.ToUpper(unit[:len(unit)-1])
		return 0, fmt.Errorf("%q may be bits or bytes: write %sbit or %sB", text, upper, upper)
	}
	rate := number * size
	switch {
	case rate < minRate:
		return 0, fmt.Errorf("%q is less than 1kB a second: has it lost its unit, as in 50MB?", text)
	case rate > math.MaxInt64/2:
		return 0, errors.New("that is more than there is")
	}
	return int64(rate), nil
}

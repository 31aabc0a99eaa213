package cli

import (
	"strings"
	"testing"
)

func TestParseRate(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]int64{
		"50MB": 50_000_000, "50MiB": 50 << 20, "400Mbit": 50_000_000, "50000000": 50_000_000, "64kB": 64_000, "64KB": 64_000, "64KiB": 64 << 10,
		"1.5GB": 1_500_000_000, "1GiB": 1 << 30, "1Gbit": 125_000_000, "8kbit": 1000, "1000B": 1000, "50 MB": 50_000_000, " 50MB/s ": 50_000_000,
	} {
		if got, err := parseRate(text); got != want || err != nil {
			t.Errorf("%q is %d, %v; want %d", text, got, err, want)
		}
	}
	for text, say := range map[string]string{
		"": "is not a rate", "fast": "is not a rate", "MB": "is not a rate", "-5MB": "is not a rate", "50MBps": "is not a rate", "1.2.3MB": "is not a rate",
		"50Mb": "write 50Mbit or 50MB", "50mb": "write 50Mbit or 50MB", "50b": "write 50bit or 50B", "1e9": "is not a rate", "50TB": "is not a rate",
		"50": "has it lost its unit", "0": "less than 1kB", "999999999999999GB": "more than there is", "NaN": "is not a rate",
	} {
		if got, err := parseRate(text); err == nil || !strings.Contains(err.Error(), say) {
			t.Errorf("%q is %d, %v; want an error with %q", text, got, err, say)
		}
	}
}

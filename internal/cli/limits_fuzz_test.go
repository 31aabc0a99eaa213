package cli

import "testing"

// FuzzParseRate reads any rate: what is accepted is a positive number of bytes a second.
func FuzzParseRate(f *testing.F) {
	for _, seed := range []string{"10MB/s", "1.5 GiB/s", "0", "-1", "1e300GB", "9223372036854775807", "NaN", "Inf", "", "MB"} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, text string) {
		if n, err := parseRate(text); err == nil && n <= 0 {
			t.Errorf("%q is %d", text, n)
		}
	})
}

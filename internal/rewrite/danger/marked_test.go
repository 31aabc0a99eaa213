package danger

import (
	"testing"

	"pgregory.net/rapid"
)

// What is found at once is what is found one by one.
func TestMarked(t *testing.T) {
	t.Parallel()
	parts := []string{"secret", "a", " ", "ec", "r", "e", "cr", "DECREE", "gcr", "\n", "imag", "e:", "q", "z"}
	for _, m := range Markers {
		parts = append(parts, string(m), string(m[1:]), string(m[:len(m)-1]))
	}
	rapid.Check(t, func(t *rapid.T) {
		var b []byte
		for _, p := range rapid.SliceOfN(rapid.SampledFrom(parts), 0, 6).Draw(t, "parts") {
			b = append(b, p...)
		}
		if got, want := Marked(b), len(findHits(b)) > 0; got != want {
			t.Fatalf("%q: %v", b, got)
		}
	})
}

package mention

import "testing"

// Every kind has a place in the order and an explanation.
func TestKinds(t *testing.T) {
	t.Parallel()
	if len(Kinds()) != len(about) {
		t.Errorf("%d kinds, %d explanations", len(Kinds()), len(about))
	}
	for n, k := range Kinds() {
		if a := k.About(); a != about[k] || a.Short == "" || a.Help == "" {
			t.Errorf("%s has no explanation", k)
		}
		if n > 0 && k.Compare(Kinds()[n-1]) <= 0 {
			t.Errorf("%s is not behind %s", k, Kinds()[n-1])
		}
	}
	if Kind("other").Compare(CleanUp) <= 0 || Kind("other").About().Short == "" {
		t.Error("what is not known does not come last")
	}
}

func TestExcerpt(t *testing.T) {
	t.Parallel()
	long := make([]byte, 1<<20)
	for n := range long {
		long[n] = 'x'
	}
	copy(long[1<<19:], "HERE")
	for text, want := range map[string]string{"a\n  b\x1b[31m c\r\nd": "b[31m c", "a\nb\xff": "a"} {
		at := 0
		if len(text) > 6 {
			at = 4
		}
		if got := Excerpt([]byte(text), Span{Start: at, End: at + 1}); got != want {
			t.Errorf("%q: %q", text, got)
		}
	}
	if got := Excerpt(long, Span{Start: 1 << 19, End: 1<<19 + 4}); len(got) > MaxText || got[ahead:ahead+4] != "HERE" {
		t.Errorf("%q", got)
	}
}

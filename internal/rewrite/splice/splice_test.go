package splice

import (
	"bytes"
	"errors"
	"strings"
	"testing"

	"pgregory.net/rapid"
)

func TestApplyAndInverse(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		var before, after bytes.Buffer
		var splices []Splice
		word := rapid.SliceOfN(rapid.Byte(), 0, 5)
		for range rapid.IntRange(0, 6).Draw(t, "splices") {
			same := word.Draw(t, "same")
			s := Splice{Old: word.Draw(t, "old"), New: word.Draw(t, "new")}
			before.Write(same)
			after.Write(same)
			s.At = int64(before.Len())
			before.Write(s.Old)
			after.Write(s.New)
			splices = append(splices, s)
		}
		var got, back bytes.Buffer
		if err := Apply(&got, bytes.NewReader(before.Bytes()), splices); err != nil || !bytes.Equal(got.Bytes(), after.Bytes()) {
			t.Fatalf("%q, %v", got.Bytes(), err)
		}
		if err := Apply(&back, &got, Inverse(splices)); err != nil || !bytes.Equal(back.Bytes(), before.Bytes()) {
			t.Fatalf("%q, %v", back.Bytes(), err)
		}
	})
}

func TestApplyRefuses(t *testing.T) {
	t.Parallel()
	for text, splices := range map[string][]Splice{
		"abc":  {{At: 1, Old: []byte("x")}},
		"ab":   {{At: 1, Old: []byte("bc")}},
		"a":    {{At: 2, Old: []byte("b")}},
		"abcd": {{At: 1, Old: []byte("bc")}, {At: 2, Old: []byte("c")}},
	} {
		if err := Apply(&bytes.Buffer{}, strings.NewReader(text), splices); err == nil || text != "abcd" && !errors.Is(err, ErrOther) {
			t.Errorf("%s: %v", text, err)
		}
	}
}

// drawSplices draws splices of text.
func drawSplices(t *rapid.T, text []byte) []Splice {
	var out []Splice
	for at := 0; at < len(text); {
		at += rapid.IntRange(0, 4).Draw(t, "gap")
		size := rapid.IntRange(0, 4).Draw(t, "size")
		if at+size > len(text) || size == 0 {
			break
		}
		out = append(out, Splice{At: int64(at), Old: text[at : at+size], New: rapid.SliceOfN(rapid.Byte(), 0, 5).Draw(t, "new")})
		at += size
	}
	return out
}

func TestCompose(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		text := rapid.SliceOfN(rapid.Byte(), 0, 30).Draw(t, "text")
		var middle, last, once bytes.Buffer
		a := drawSplices(t, text)
		if err := Apply(&middle, bytes.NewReader(text), a); err != nil {
			t.Fatal(err)
		}
		b := drawSplices(t, middle.Bytes())
		if err := Apply(&last, bytes.NewReader(middle.Bytes()), b); err != nil {
			t.Fatal(err)
		}
		both, err := Compose(a, b, middle.Bytes())
		if err != nil {
			t.Fatal(err)
		}
		if err := Apply(&once, bytes.NewReader(text), both); err != nil || !bytes.Equal(once.Bytes(), last.Bytes()) {
			t.Fatalf("%q, %v, not %q", once.Bytes(), err, last.Bytes())
		}
	})
}

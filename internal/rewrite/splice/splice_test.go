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

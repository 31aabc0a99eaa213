package letters

import (
	"bytes"
	"errors"
	"testing"

	"pgregory.net/rapid"
)

func TestOf(t *testing.T) {
	t.Parallel()
	for raw, want := range map[string]struct {
		encoding Encoding
		err      error
	}{
		"": {UTF8, nil}, "a\r\n": {UTF8, nil}, "caf\xe9": {UTF8, nil}, "\xef\xbb\xbfa": {UTF8BOM, nil}, "\xff\xfea\x00": {UTF16LE, nil},
		"\xfe\xff\x00a": {UTF16BE, nil}, "\xff\xfe\x00\x00a\x00\x00\x00": {"", ErrUTF32}, "\x00\x00\xfe\xff": {"", ErrUTF32}, "a\x00b": {"", ErrBinary},
		"1\x00.\x00d\x00k\x00r\x00": {"", ErrWide}, "\x001\x00.\x00d\x00k\x00r": {"", ErrWide},
	} {
		if got, err := Of([]byte(raw)); got != want.encoding || !errors.Is(err, want.err) {
			t.Errorf("%q: %q, %v", raw, got, err)
		}
	}
	for _, raw := range []string{"\xff\xfea", "\xff\xfe\x00\xd8", "\xff\xfe\x00\xd8a\x00", "\xff\xfe\x00\xdc"} {
		if text, err := UTF16LE.Text([]byte(raw)); !errors.Is(err, ErrOdd) {
			t.Errorf("%q is %q, %v", raw, text, err)
		}
	}
}

// Every place of a text is found in the raw bytes, and a text is encoded as it was.
func TestPlaces(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		text := rapid.String().Draw(t, "text")
		for encoding, mark := range map[Encoding]string{UTF8: "", UTF8BOM: "\xef\xbb\xbf", UTF16LE: "\xff\xfe", UTF16BE: "\xfe\xff"} {
			raw := append([]byte(mark), encoding.Encode(text)...)
			back, err := encoding.Text(raw)
			if err != nil || string(back) != text {
				t.Fatalf("%s: %q is %q, %v", encoding, text, back, err)
			}
			p := encoding.Places(back)
			for at := range text {
				if got := encoding.Encode(text[:at]); p.Raw(at) != int64(len(mark)+len(got)) {
					t.Fatalf("%s: %d of %q is at %d", encoding, at, text, p.Raw(at))
				}
			}
			if p.Raw(len(text)) != int64(len(raw)) {
				t.Fatalf("%s: the end of %q is at %d", encoding, text, p.Raw(len(text)))
			}
		}
	})
}

func FuzzText(f *testing.F) {
	f.Add([]byte("\xff\xfea\x00\x3d\xd8\x00\xde"))
	f.Add([]byte("\xfe\xff\x00a"))
	f.Fuzz(func(t *testing.T, raw []byte) {
		e, err := Of(raw)
		if err != nil {
			return
		}
		text, err := e.Text(raw)
		if err == nil && !bytes.Equal(append(bytes.Clone(raw[:e.mark()]), e.Encode(string(text))...), raw) && e.IsWide() {
			t.Errorf("%q is %q", raw, text)
		}
	})
}

// Package letters knows in which encoding a file is, and where a place of its text is in its bytes.
//
// Vocabulary: the raw bytes are those on disk; the text is what they say, in UTF-8 and without a byte order mark. Where the
// bytes are UTF-8 or one byte a letter (ASCII with whatever else, such as Latin-1), the text is those bytes as they are, be
// they valid UTF-8 or not: a reference is ASCII, and nothing else is touched.
package letters

import (
	"bytes"
	"encoding/binary"
	"errors"
	"unicode/utf16"
	"unicode/utf8"
)

// Encoding is how a file says its text.
type Encoding string

// The encodings.
const (
	UTF8    Encoding = "utf-8"        // or any other in which ASCII is ASCII
	UTF8BOM Encoding = "utf-8-bom"    // with a byte order mark
	UTF16LE Encoding = "utf-16le-bom" // as PowerShell writes
	UTF16BE Encoding = "utf-16be-bom"
)

// Why a file has no text.
var (
	ErrBinary = errors.New("it is not a text")
	ErrUTF32  = errors.New("it is in UTF-32")
	ErrOdd    = errors.New("it begins like UTF-16, but is not: half a character is in it")
	ErrWide   = errors.New("it is in UTF-16 or UTF-32 without a byte order mark")
)

// sniffed is how many bytes tell a binary file from a text: as many as git takes.
const sniffed = 8000

// Of tells the encoding from the first bytes of a file. The error is ErrBinary, or says which encoding it is in that is not
// read.
func Of(first []byte) (Encoding, error) {
	switch {
	case bytes.HasPrefix(first, []byte("\xff\xfe\x00\x00")), bytes.HasPrefix(first, []byte("\x00\x00\xfe\xff")):
		return "", ErrUTF32
	case bytes.HasPrefix(first, []byte("\xff\xfe")):
		return UTF16LE, nil
	case bytes.HasPrefix(first, []byte("\xfe\xff")):
		return UTF16BE, nil
	case bytes.IndexByte(first[:min(len(first), sniffed)], 0) >= 0:
		if bytes.Contains(first, []byte(".\x00d\x00k\x00r\x00")) || bytes.Contains(first, []byte(".\x00\x00\x00d\x00\x00\x00k\x00\x00\x00r\x00\x00\x00")) ||
			bytes.Contains(first, []byte("\x00.\x00d\x00k\x00r")) {
			return "", ErrWide
		}
		return "", ErrBinary
	case bytes.HasPrefix(first, []byte("\xef\xbb\xbf")):
		return UTF8BOM, nil
	}
	return UTF8, nil
}

// IsWide reports whether a letter takes two bytes or four.
func (e Encoding) IsWide() bool { return e == UTF16LE || e == UTF16BE }

// mark is how many bytes the byte order mark has.
func (e Encoding) mark() int {
	switch e {
	case UTF8BOM:
		return 3
	case UTF16LE, UTF16BE:
		return 2
	}
	return 0
}

func (e Encoding) order() binary.AppendByteOrder {
	if e == UTF16BE {
		return binary.BigEndian
	}
	return binary.LittleEndian
}

func (e Encoding) unit(b []byte) rune {
	if e == UTF16BE {
		return rune(binary.BigEndian.Uint16(b))
	}
	return rune(binary.LittleEndian.Uint16(b))
}

// Text is what raw says. It shares raw's memory where no letter is wide.
func (e Encoding) Text(raw []byte) ([]byte, error) {
	return e.Decode(raw[e.mark():])
}

// Decode is what a part of the raw bytes says, which begins at a letter.
func (e Encoding) Decode(raw []byte) ([]byte, error) {
	if !e.IsWide() {
		return raw, nil
	}
	if len(raw)%2 != 0 {
		return nil, ErrOdd
	}
	text := make([]byte, 0, len(raw)/2+len(raw)/8)
	for ; len(raw) > 0; raw = raw[2:] {
		r := e.unit(raw)
		if utf16.IsSurrogate(r) {
			if len(raw) < 4 {
				return nil, ErrOdd
			}
			if r = utf16.DecodeRune(r, e.unit(raw[2:])); r == utf8.RuneError {
				return nil, ErrOdd
			}
			raw = raw[2:]
		}
		text = utf8.AppendRune(text, r)
	}
	return text, nil
}

// Encode is a part of a text as raw bytes.
func (e Encoding) Encode(text string) []byte {
	if !e.IsWide() {
		return []byte(text)
	}
	var raw []byte
	for _, u := range utf16.Encode([]rune(text)) {
		raw = e.order().AppendUint16(raw, u)
	}
	return raw
}

// Places finds places of a text in the raw bytes. They are asked for in order.
type Places struct {
	encoding Encoding
	text     []byte
	at       int // in the text
	raw      int // of the raw bytes
}

// Places returns what finds places of the text.
func (e Encoding) Places(text []byte) *Places { return &Places{encoding: e, text: text, raw: e.mark()} }

// Raw is where the byte at of the text is in the raw bytes. It must not be before the one that was asked for last.
func (p *Places) Raw(at int) int64 {
	if !p.encoding.IsWide() {
		return int64(at + p.encoding.mark())
	}
	for p.at < at {
		r, size := utf8.DecodeRune(p.text[p.at:])
		p.at += size
		p.raw += 2 * max(1, utf16.RuneLen(r))
	}
	return int64(p.raw)
}

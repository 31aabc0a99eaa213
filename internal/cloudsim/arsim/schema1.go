package arsim

import (
	"encoding/base64"
	"encoding/json"

	"github.com/opencontainers/go-digest"
)

// Schema1Digest is which bytes of a signed schema 1 manifest have its digest. FACTS B6 [U]
type Schema1Digest int

const (
	// Schema1ByPayload takes the digest of what is signed, as Docker does.
	Schema1ByPayload Schema1Digest = iota
	// Schema1ByBytes takes the digest of all bytes, as for any other manifest.
	Schema1ByBytes
	// Schema1Refused takes no manifests of schema 1.
	Schema1Refused
)

// digestOf is the digest under which a manifest is stored.
func (c *Cloud) digestOf(mediaType string, raw []byte) digest.Digest {
	if mediaType == typeDockerSchema1Signed && c.opts.Schema1 == Schema1ByPayload {
		if payload, ok := signedPart(raw); ok {
			return digest.FromBytes(payload)
		}
	}
	return digest.FromBytes(raw)
}

// signedPart is what the first signature of a schema 1 manifest covers.
func signedPart(raw []byte) ([]byte, bool) {
	var m struct {
		Signatures []struct {
			Protected string `json:"protected"`
		} `json:"signatures"`
	}
	if json.Unmarshal(raw, &m) != nil || len(m.Signatures) == 0 {
		return nil, false
	}
	var header struct {
		FormatLength int    `json:"formatLength"`
		FormatTail   string `json:"formatTail"`
	}
	text, err := base64.RawURLEncoding.DecodeString(m.Signatures[0].Protected)
	if err != nil || json.Unmarshal(text, &header) != nil || header.FormatLength < 0 || header.FormatLength > len(raw) {
		return nil, false
	}
	tail, err := base64.RawURLEncoding.DecodeString(header.FormatTail)
	if err != nil {
		return nil, false
	}
	return append(raw[:header.FormatLength:header.FormatLength], tail...), true
}

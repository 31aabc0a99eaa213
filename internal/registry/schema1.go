package registry

import (
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"

	"github.com/opencontainers/go-digest"
)

// IsSchema1 reports whether mediaType is a manifest of Docker's first format.
func IsSchema1(mediaType string) bool {
	return mediaType == MediaTypeDockerSchema1 || mediaType == MediaTypeDockerSigned1
}

// schema1JSON is what is read of a manifest of Docker's first format. Its layers have no sizes.
type schema1JSON struct {
	SchemaVersion int `json:"schemaVersion"`
	Layers        []struct {
		Digest digest.Digest `json:"blobSum"`
	} `json:"fsLayers"`
	Signatures []struct {
		Protected string `json:"protected"`
	} `json:"signatures"`
}

// maxSignatures bounds those of a schema 1 manifest, since each is compared with all of its bytes: docker made one.
const maxSignatures = 16

// signedPayload returns what the digest of a signed schema 1 manifest is made of: its bytes before the signatures, and
// a tail. Each signature says where they are, and all must say the same.
func signedPayload(b []byte) ([]byte, error) {
	if len(b) > MaxManifestBytes {
		return nil, errors.New("it is too large")
	}
	if err := checkLists(b); err != nil {
		return nil, err
	}
	var j schema1JSON
	if err := json.Unmarshal(b, &j); err != nil {
		return nil, err
	}
	if len(j.Signatures) == 0 {
		return nil, errors.New("it has no signatures")
	}
	if len(j.Signatures) > maxSignatures {
		return nil, fmt.Errorf("it has %d signatures, more than %d", len(j.Signatures), maxSignatures)
	}
	var payload []byte
	for n, s := range j.Signatures {
		p, err := payloadOf(b, s.Protected)
		switch {
		case err != nil:
			return nil, fmt.Errorf("its signature %d: %w", n+1, err)
		case n > 0 && string(p) != string(payload):
			return nil, errors.New("its signatures are of different content")
		}
		payload = p
	}
	// Bytes that are no schema 1 manifest of their own must not pass for another format's with something at their end.
	var own schema1JSON
	if err := json.Unmarshal(payload, &own); err != nil || own.SchemaVersion != 1 {
		return nil, errors.New("what its signatures cover is no manifest of Docker schema 1")
	}
	return payload, nil
}

// payloadOf returns the content of b that the protected header of a JSON web signature describes.
func payloadOf(b []byte, protected string) ([]byte, error) {
	raw, err := base64.RawURLEncoding.DecodeString(protected)
	if err != nil {
		return nil, fmt.Errorf("its protected header: %w", err)
	}
	var header struct {
		Length int    `json:"formatLength"`
		Tail   string `json:"formatTail"`
	}
	if err := json.Unmarshal(raw, &header); err != nil {
		return nil, fmt.Errorf("its protected header: %w", err)
	}
	tail, err := base64.RawURLEncoding.DecodeString(header.Tail)
	switch {
	case err != nil:
		return nil, fmt.Errorf("its tail: %w", err)
	case header.Length <= 0 || header.Length > len(b):
		return nil, fmt.Errorf("it covers %d of %d bytes", header.Length, len(b))
	}
	return append(b[:header.Length:header.Length], tail...), nil
}

// hasPayload reports whether d is the digest of m's payload.
func (m Manifest) hasPayload(d digest.Digest) bool {
	if m.MediaType != "" && !IsSchema1(m.MediaType) {
		return false
	}
	payload, err := signedPayload(m.Bytes)
	return err == nil && d.Algorithm().FromBytes(payload) == d
}

// parseSchema1 reads a manifest of Docker's first format. Of a signed one it believes only what the digest covers.
func parseSchema1(m Manifest) (Content, error) {
	c := Content{MediaType: m.MediaType}
	body := m.Bytes
	payload, unsigned := signedPayload(m.Bytes)
	if !IsSchema1(c.MediaType) {
		c.MediaType = MediaTypeDockerSchema1
		if unsigned == nil {
			c.MediaType = MediaTypeDockerSigned1
		}
	}
	if unsigned == nil && digest.FromBytes(m.Bytes) != m.Digest {
		body = payload
	}
	var j schema1JSON
	switch err := json.Unmarshal(body, &j); {
	case err != nil:
		return Content{}, fmt.Errorf("the manifest is not valid JSON: %w", err)
	case j.SchemaVersion != 1 || len(j.Layers) == 0:
		return Content{}, errors.New("the manifest calls itself one of Docker schema 1, but has not what those have")
	case len(j.Layers) > maxDescriptors:
		return Content{}, fmt.Errorf("the manifest names %d things, more than %d", len(j.Layers), maxDescriptors)
	}
	seen := make(map[digest.Digest]bool, len(j.Layers))
	for _, l := range j.Layers {
		if err := CheckDigest(l.Digest); err != nil {
			return Content{}, fmt.Errorf("the manifest names %.100q, which is not a valid digest: %w", l.Digest, err)
		}
		if !seen[l.Digest] {
			seen[l.Digest] = true
			c.Blobs = append(c.Blobs, Blob{Digest: l.Digest, Size: SizeUnknown})
		}
	}
	return c, nil
}

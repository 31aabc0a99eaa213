package registry

import (
	"crypto/sha256"
	"encoding/hex"

	"github.com/opencontainers/go-digest"
)

// CheckDigest says what is wrong with d, if anything. It is d.Validate, whose regular expressions are most of the cost of
// reading a manifest, with a short cut for nearly all digests that there are.
func CheckDigest(d digest.Digest) error {
	const prefix = "sha256:"
	if len(d) == len(prefix)+64 && d[:len(prefix)] == prefix && isHex(string(d[len(prefix):])) {
		return nil
	}
	return d.Validate()
}

// digestOf is a.FromBytes, which for nearly all digests that there are formats more than it hashes.
func digestOf(a digest.Algorithm, b []byte) digest.Digest {
	if a != digest.SHA256 {
		return a.FromBytes(b)
	}
	sum := sha256.Sum256(b)
	return digest.NewDigestFromEncoded(digest.SHA256, hex.EncodeToString(sum[:]))
}

func isHex(s string) bool {
	for i := range len(s) {
		if c := s[i]; (c < '0' || c > '9') && (c < 'a' || c > 'f') {
			return false
		}
	}
	return true
}

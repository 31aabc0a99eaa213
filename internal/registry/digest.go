package registry

import "github.com/opencontainers/go-digest"

// CheckDigest says what is wrong with d, if anything. It is d.Validate, whose regular expressions are most of the cost of
// reading a manifest, with a short cut for nearly all digests that there are.
func CheckDigest(d digest.Digest) error {
	const prefix = "sha256:"
	if len(d) == len(prefix)+64 && d[:len(prefix)] == prefix && isHex(string(d[len(prefix):])) {
		return nil
	}
	return d.Validate()
}

func isHex(s string) bool {
	for i := range len(s) {
		if c := s[i]; (c < '0' || c > '9') && (c < 'a' || c > 'f') {
			return false
		}
	}
	return true
}

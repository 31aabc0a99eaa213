package registry

import (
	"strings"
	"testing"

	"github.com/opencontainers/go-digest"
)

func TestDigestOf(t *testing.T) {
	for _, a := range []digest.Algorithm{digest.SHA256, digest.SHA384, digest.SHA512} {
		if got, want := digestOf(a, []byte("x")), a.FromString("x"); got != want {
			t.Errorf("%s, want %s", got, want)
		}
	}
}

func TestCheckDigestIsValidate(t *testing.T) {
	good := digest.FromString("a")
	for _, d := range []digest.Digest{
		good, digest.SHA512.FromString("a"), "", "sha256:", "sha256", good[:70], good + "0", digest.Digest(strings.ToUpper(string(good))),
		digest.Digest("sha256:" + strings.Repeat("g", 64)), digest.Digest("sha256:" + strings.Repeat("A", 64)), digest.Digest("md5:" + strings.Repeat("a", 64)),
		digest.Digest("sha256-" + strings.Repeat("a", 64)),
	} {
		if got, want := CheckDigest(d), d.Validate(); got != want { //nolint:errorlint // the very same
			t.Errorf("%q: %v, want %v", d, got, want)
		}
	}
}

package registry

import (
	"strings"
	"testing"

	"github.com/opencontainers/go-digest"
)

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

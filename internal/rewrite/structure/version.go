package structure

import (
	"strings"

	"github.com/opencontainers/go-digest"

	"transship/internal/references"
)

// withVersion adds the tag and the digest that are in fields of their own, where they are literal.
func withVersion(n references.Name, m *node, stem string) references.Name {
	if n.Tag != "" || n.Digest != "" {
		return n
	}
	longer := false
	for _, f := range m.fields {
		key := plainKey(f.key)
		if f.value.kind != scalar || !isLiteral(f.value.text) {
			continue
		}
		switch key {
		case "tag", "imagetag", stem + "tag", "newtag":
			n.Tag = tag(f.value.text)
		case "version", stem + "version":
			if n.Tag == "" {
				n.Tag = tag(f.value.text)
			}
		case "digest", "imagedigest", stem + "digest":
			if d, err := digest.Parse(f.value.text); err == nil {
				n.Digest = d
			}
		}
		if strings.Contains(key, "tagsuffix") || strings.Contains(key, "tagprefix") {
			longer = true
		}
	}
	if longer { // the tag is only a part of it
		n.Tag = ""
	}
	return n
}

// tag is a text where it can be a tag, else empty.
func tag(s string) string {
	for i := range len(s) {
		if !isHostByte(s[i]) || i == 0 && (s[i] == '.' || s[i] == '-') {
			return ""
		}
	}
	if len(s) > 128 || s == "null" {
		return ""
	}
	return s
}

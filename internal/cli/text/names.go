package text

import (
	"strings"

	"github.com/opencontainers/go-digest"

	"transship/internal/cli/term"
	"transship/internal/document"
	"transship/internal/ref"
)

// names shortens names by what all of a migration have in common.
type names struct {
	registry ref.Registry // the only source, or the zero value
	target   string       // the default target with a slash, or nothing
}

func newNames(m document.Migration) names {
	var n names
	if len(m.Sources) == 1 {
		n.registry = m.Sources[0]
	}
	if m.Target != "" {
		n.target = m.Target + "/"
	}
	return n
}

// source is the name of a repository, without its host where there is only one.
func (n names) source(r ref.Repository) string {
	if r.Registry == n.registry && r.Name != "" {
		return r.Name
	}
	return r.String()
}

// sourceText is source for a repository with a tag or digest, as failures hold it.
func (n names) sourceText(s string) string {
	if n.registry == (ref.Registry{}) {
		return shorten(s)
	}
	return shorten(strings.TrimPrefix(s, n.registry.Host()+"/"))
}

// targetText is the name of an image path, without the default target.
func (n names) targetText(s string) string {
	if n.target == "" {
		return shorten(s)
	}
	return shorten(strings.TrimPrefix(s, n.target))
}

// shorten shortens the digest at the end of a name.
func shorten(s string) string {
	if name, d, ok := strings.Cut(s, "@"); ok {
		return name + "@" + term.ShortDigest(digest.Digest(d))
	}
	return s
}

// reference is name:tag, or name@digest where there is no tag, or the name alone.
func reference(name, tag string, d digest.Digest) string {
	switch {
	case tag != "":
		return name + ":" + tag
	case d != "":
		return name + "@" + term.ShortDigest(d)
	}
	return name
}

// described is a failure's or a tag's digest, for people.
func described(d digest.Digest, missing string) string {
	if d == "" {
		return missing
	}
	return term.ShortDigest(d)
}

package text

import (
	"slices"
	"strings"

	"github.com/opencontainers/go-digest"

	"transship/internal/cli/term"
	"transship/internal/document"
	"transship/internal/ref"
)

// names shortens names by what all of a migration have in common.
type names struct {
	registries []ref.Registry
	account    bool   // there are several accounts
	target     string // the default target with a slash, or nothing
}

func newNames(m document.Migration) names {
	n := names{registries: m.Sources}
	for _, r := range m.Sources {
		n.account = n.account || r.Account != m.Sources[0].Account
	}
	if m.Target != "" {
		n.target = m.Target + "/"
	}
	return n
}

// prefix is what tells a registry from the others of the migration: nothing, REGION/ or ACCOUNT/REGION/.
func (n names) prefix(r ref.Registry) string {
	switch {
	case !slices.Contains(n.registries, r):
		return r.Host() + "/"
	case n.account:
		return r.Account + "/" + r.Region + "/"
	case len(n.registries) > 1:
		return r.Region + "/"
	}
	return ""
}

// source is the short name of a repository, or of a registry as a whole.
func (n names) source(r ref.Repository) string {
	if r.Name == "" {
		return r.String()
	}
	return n.prefix(r.Registry) + r.Name
}

// sourceText is source for a repository with a tag or digest, as failures hold it.
func (n names) sourceText(s string) string {
	for _, r := range n.registries {
		if rest, ok := strings.CutPrefix(s, r.Host()+"/"); ok {
			return shorten(n.prefix(r) + rest)
		}
	}
	return shorten(s)
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

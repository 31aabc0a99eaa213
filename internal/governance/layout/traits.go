package layout

import (
	"cmp"
	"strings"

	"transship/internal/document"
)

// Traits are the settings of a source repository that decide with which others it can share an Artifact Registry
// repository: those with equal Traits are compatible.
type Traits struct {
	// Immutable says that no tag can be moved. Modes with exclusions have no equivalent and come out as mutable, wherever
	// they go, so that they need no group of their own. FACTS C4.
	Immutable bool
	Cleanup   string // CanonicalLifecycle of its policy; empty for none
	Key       string // the Google key that stands for its key in AWS, that one where none was given yet, empty for AES256
	Scanned   bool   // whether images are scanned by themselves, whoever says so
	// Access is CanonicalPolicy of its policy; empty for none. In Artifact Registry who may read one image of a repository
	// may read all, and who may write too, so that the whole policy counts: a group widens nothing.
	Access string
}

// TraitsOf returns the traits of a repository. Scanned says what comes of its own setting and the registry's rules;
// googleKey is the key that the user gave for it, and may be empty.
func TraitsOf(r document.SourceRepository, s document.RepositorySettings, scanned bool, googleKey string) Traits {
	return Traits{
		Immutable: r.TagMutability == "IMMUTABLE", // FACTS A5 [S]
		Cleanup:   CanonicalLifecycle(s.Lifecycle),
		Key:       cmp.Or(googleKey, r.KMSKey),
		Scanned:   scanned,
		Access:    CanonicalPolicy(s.Policy),
	}
}

// compare orders traits in any fixed way.
func (t Traits) compare(o Traits) int {
	return cmp.Or(compareBool(t.Immutable, o.Immutable), cmp.Compare(t.Key, o.Key), cmp.Compare(t.Cleanup, o.Cleanup),
		compareBool(t.Scanned, o.Scanned), cmp.Compare(t.Access, o.Access))
}

func compareBool(a, b bool) int {
	switch {
	case a == b:
		return 0
	case a:
		return 1
	}
	return -1
}

// trait is one of the traits as words.
type trait struct {
	name  string                      // as in "differs in NAME"
	value func(Traits) string         // what must be equal
	word  func(Traits) string         // for a repository id
	words func(Traits, owners) string // for people
}

// owners names a repository for each policy: the first one that has it.
type owners map[string]string

// traits are all of them, those first by which groups are best told apart.
var traits = [...]trait{
	{"immutability", func(t Traits) string { return either(t.Immutable, "yes", "no") },
		func(t Traits) string { return either(t.Immutable, "immutable", "mutable") },
		func(t Traits, _ owners) string {
			return either(t.Immutable, "immutable tags", "tags that can be moved")
		}},
	{"key", func(t Traits) string { return t.Key },
		func(t Traits) string { return either(t.Key != "", "kms", "default-key") },
		func(t Traits, _ owners) string {
			return either(t.Key != "", "the key "+clean(t.Key), "no key of their own")
		}},
	{"clean-up", func(t Traits) string { return t.Cleanup },
		func(t Traits) string { return either(t.Cleanup != "", "cleanup", "no-cleanup") },
		func(t Traits, o owners) string {
			return either(t.Cleanup != "", "the lifecycle policy of "+o[t.Cleanup], "no lifecycle policy")
		}},
	{"scanning", func(t Traits) string { return either(t.Scanned, "yes", "no") },
		func(t Traits) string { return either(t.Scanned, "scanned", "unscanned") },
		func(t Traits, _ owners) string {
			return either(t.Scanned, "scanned images", "images that are not scanned")
		}},
	{"readers", func(t Traits) string { return t.Access },
		func(t Traits) string { return either(t.Access != "", "shared", "private") },
		func(t Traits, o owners) string {
			return either(t.Access != "", "the repository policy of "+o[t.Access], "no repository policy")
		}},
}

func either(yes bool, a, b string) string {
	if yes {
		return a
	}
	return b
}

// clean is outside text on one line, without characters that do something.
func clean(s string) string {
	return strings.Map(func(r rune) rune {
		if r < ' ' || r > '~' {
			return '?'
		}
		return r
	}, s)
}

// differing returns the traits in which a and b differ.
func differing(a, b Traits) (out []trait) {
	for _, t := range traits {
		if t.value(a) != t.value(b) {
			out = append(out, t)
		}
	}
	return out
}

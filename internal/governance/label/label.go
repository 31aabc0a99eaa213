// Package label makes labels of Artifact Registry from tags of AWS.
//
// Both are keys with values, with other rules: a label has lowercase letters, digits, _ and - in its key and value, at most
// 63 of them, and its key begins with a letter. What has to change is reported, and no two keys become one.
//
//	tags of a repository ─ Translate ─→ its labels, and what became of each tag
//	tags of all repositories of a target ─ Share ─→ the labels that are true of all, and what is lost
package label

import (
	"cmp"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"maps"
	"slices"
	"strings"

	"transship/internal/document"
)

// The limits of Artifact Registry. FACTS B2 [S].
const (
	MaxLabels = 64
	MaxLength = 63 // of a key, and of a value
)

const (
	reserved   = "aws:" // how keys begin that only AWS itself sets. FACTS C4 [D]
	keyPrefix  = "tag_" // in front of a key that does not begin with a letter
	hashLength = 8      // hexadecimal digits that tell apart what became alike, or what was cut
)

// LawfulKey reports whether Artifact Registry takes s as the key of a label. FACTS B2 [S].
func LawfulKey(s string) bool { return s != "" && isLetter(s[0]) && LawfulValue(s) }

// LawfulValue reports whether Artifact Registry surely takes s as the value of a label. It may take more, such as letters
// of other alphabets. FACTS C4 [U].
func LawfulValue(s string) bool { return len(s) <= MaxLength && plain(s) == s }

// Translate returns the labels that stand for tags, and what became of each tag, sorted by key.
func Translate(tags map[string]string) (map[string]string, []document.Translation) {
	keys := keysOf(tags)
	labels := map[string]string{}
	settings := make([]document.Translation, 0, len(tags))
	for _, key := range slices.Sorted(maps.Keys(tags)) {
		s := document.Translation{Setting: document.SettingLabel, Item: key, Was: key + "=" + tags[key]}
		became, ok := keys[key]
		switch {
		case !ok:
			s.Fate, s.Reason = document.FateNeedless, "tags that begin with aws: belong to AWS, and mean nothing elsewhere"
		case len(labels) == MaxLabels:
			s.Fate, s.Reason = document.FateRefused, fmt.Sprintf("a repository can have %d labels, and those before it by name are as many", MaxLabels)
			s.Decide = "take tags off the repository in ECR that are of no use in Artifact Registry, and plan again"
		default:
			value := cut(plain(tags[key]), tags[key])
			labels[became] = value
			s.Becomes, s.Fate, s.Reason = became+"="+value, document.FateExact, reason(key, became, tags[key], value, keys)
			if s.Reason != "" {
				s.Fate = document.FateApproximate
			}
		}
		settings = append(settings, s)
	}
	return labels, settings
}

// keysOf returns the label key for each tag key that may have one, all of them different: lawful ones are kept, others
// are made lawful, and those that would be like another, or were cut, get a hash of what they were.
func keysOf(tags map[string]string) map[string]string {
	out, taken, wanted := map[string]string{}, map[string]bool{}, map[string]int{}
	var others []string
	for _, key := range slices.Sorted(maps.Keys(tags)) {
		switch {
		case strings.HasPrefix(strings.ToLower(key), reserved): // AWS reserves it in any case
		case LawfulKey(key):
			out[key], taken[key] = key, true
		default:
			others = append(others, key)
			wanted[candidate(key)]++
		}
	}
	var crowded []string
	for _, key := range others {
		if c := candidate(key); wanted[c] == 1 && !taken[c] {
			out[key], taken[c] = c, true
		} else {
			crowded = append(crowded, key)
		}
	}
	for _, key := range crowded {
		for n := 0; ; n++ { // a second time only where somebody wrote the hash into another key
			if c := marked(begun(key), key+strings.Repeat("#", n)); !taken[c] {
				out[key], taken[c] = c, true
				break
			}
		}
	}
	return out
}

// candidate is a lawful key for a tag's key, if no other wants it.
func candidate(key string) string { return cut(begun(key), key) }

// begun is key in the characters of labels, with a letter at its beginning.
func begun(key string) string {
	if s := plain(key); s != "" && isLetter(s[0]) {
		return s
	}
	return keyPrefix + plain(key)
}

// plain is s in the characters of labels: letters in lower case, _ for each character that they do not have.
func plain(s string) string {
	return strings.Map(func(r rune) rune {
		switch {
		case r >= 'A' && r <= 'Z':
			return r - 'A' + 'a'
		case r >= 'a' && r <= 'z', r >= '0' && r <= '9', r == '-':
			return r
		}
		return '_'
	}, s)
}

func isLetter(c byte) bool { return c >= 'a' && c <= 'z' }

// cut shortens s, which was made of original, where it is too long.
func cut(s, original string) string {
	if len(s) <= MaxLength {
		return s
	}
	return marked(s, original)
}

// marked is s, shortened as needed, with digits of a hash of original, of which it was made.
func marked(s, original string) string {
	hash := sha256.Sum256([]byte(original))
	return s[:min(len(s), MaxLength-1-hashLength)] + "_" + hex.EncodeToString(hash[:])[:hashLength]
}

// reason says what is not as it was, or nothing.
func reason(key, became, value, valueBecame string, keys map[string]string) string {
	var parts []string
	if became != key {
		if c := candidate(key); c != became {
			parts = append(parts, fmt.Sprintf("the key would be %s, as that of %s: a hash tells them apart", c, others(key, c, keys)))
		} else {
			parts = append(parts, "the key "+changes(key, plain(key), began(key), len(begun(key)) > MaxLength))
		}
	}
	if valueBecame != value {
		parts = append(parts, "the value "+changes(value, plain(value), false, len(plain(value)) > MaxLength))
	}
	return strings.Join(parts, "; ")
}

func began(key string) bool { return !strings.HasPrefix(begun(key), plain(key)) || plain(key) == "" }

// changes says what was done to a text that became other.
func changes(text, other string, began, long bool) string {
	var parts []string
	lower := []byte(text)
	for i, c := range lower {
		if c >= 'A' && c <= 'Z' {
			lower[i] = c - 'A' + 'a'
		}
	}
	if string(lower) != text {
		parts = append(parts, "is in lower case now")
	}
	if string(lower) != other {
		parts = append(parts, "has _ for characters that labels do not have")
	}
	if began {
		parts = append(parts, "begins with "+keyPrefix+", since it must begin with a letter")
	}
	if long {
		parts = append(parts, fmt.Sprintf("is cut to %d characters, with a hash at its end", MaxLength))
	}
	return strings.Join(parts, ", ")
}

// others names the tags that would have the label key c as well.
func others(key, c string, keys map[string]string) string {
	var names []string
	for _, k := range slices.Sorted(maps.Keys(keys)) {
		if k != key && (keys[k] == c || !LawfulKey(k) && candidate(k) == c) {
			names = append(names, fmt.Sprintf("%q", k))
		}
	}
	return cmp.Or(strings.Join(names, ", "), "another tag")
}

package ref

import "strings"

// isPath reports whether s is what both clouds allow as the path of an image: components between slashes, each of
// lowercase letters and digits with a dot, one or two underscores, or any number of hyphens between them. FACTS A1, B1 [S].
// It is asked for every image that is read, which is why it is no regular expression.
func isPath(s string) bool {
	for s != "" {
		word := span(s, true)
		if word == 0 {
			return false
		}
		s = s[word:]
		if s == "" {
			return true
		}
		separator := s[:span(s, false)]
		switch {
		case separator == "/", separator == ".", separator == "_", separator == "__", strings.Trim(separator, "-") == "":
			s = s[len(separator):]
		default:
			return false
		}
	}
	return false
}

// span is how many bytes at the beginning of s are lowercase letters and digits, or are not.
func span(s string, alphanumeric bool) int {
	for i := range len(s) {
		if c := s[i]; (c >= 'a' && c <= 'z' || c >= '0' && c <= '9') != alphanumeric {
			return i
		}
	}
	return len(s)
}

// maxTag is how many characters a tag may have. FACTS A1, B1 [S].
const maxTag = 128

// ValidTag reports whether registries take s as a tag: letters, digits and underscores, and
// after the first of them also dots and hyphens.
func ValidTag(s string) bool {
	if s == "" || len(s) > maxTag || s[0] == '.' || s[0] == '-' {
		return false
	}
	for i := range len(s) {
		c := s[i]
		if (c < 'a' || c > 'z') && (c < 'A' || c > 'Z') && (c < '0' || c > '9') && c != '_' && c != '.' && c != '-' {
			return false
		}
	}
	return true
}

package cli

import (
	"fmt"
	"regexp"
	"strings"
)

// wrongType is how the YAML library words a value that does not fit its key.
var wrongType = regexp.MustCompile("cannot unmarshal !!\\w+(?: `([^`]*)`)? into (\\S+)")

// configError says what the YAML library found, in one line and in words of the configuration rather than of Go.
func configError(err error) string {
	text := strings.Join(strings.Fields(err.Error()), " ")
	text = strings.TrimPrefix(strings.TrimPrefix(text, "yaml: "), "unmarshal errors: ")
	return wrongType.ReplaceAllStringFunc(text, func(found string) string {
		m := wrongType.FindStringSubmatch(found)
		want := "keys with values"
		switch {
		case strings.HasPrefix(m[2], "[]"):
			want = "a list"
		case m[2] == "bool":
			want = "true or false"
		case m[2] == "int", m[2] == "float64":
			want = "a number"
		case m[2] == "string":
			want = "a text"
		}
		if m[1] == "" {
			return "this is not " + want
		}
		return fmt.Sprintf("%q is not %s", m[1], want)
	})
}

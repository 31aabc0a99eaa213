package access

import (
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
	"unicode"

	"go.yaml.in/yaml/v3"
)

// maxYAML bounds a file of the user in bytes.
const maxYAML = 8 << 20

// parseYAML reads the one document of a file, nil where there is none. Anchors and aliases are refused: nobody needs
// them here, and they can make much of little.
func parseYAML(b []byte) (*yaml.Node, error) {
	if len(b) > maxYAML {
		return nil, fmt.Errorf("it has %d bytes, more than the %d that are read", len(b), maxYAML)
	}
	d := yaml.NewDecoder(strings.NewReader(string(b)))
	var root yaml.Node
	if err := d.Decode(&root); errors.Is(err, io.EOF) {
		return nil, nil
	} else if err != nil {
		return nil, errors.New(strings.TrimPrefix(short(err.Error()), "yaml: "))
	}
	if err := d.Decode(new(yaml.Node)); !errors.Is(err, io.EOF) {
		return nil, errors.New("there is a second document behind ---, or something that is no YAML")
	}
	if err := noAliases(&root); err != nil {
		return nil, err
	}
	return root.Content[0], nil
}

func noAliases(n *yaml.Node) error {
	if n.Kind == yaml.AliasNode || n.Anchor != "" {
		return wrong(n, "anchors and aliases are not read: write it out")
	}
	for _, c := range n.Content {
		if err := noAliases(c); err != nil {
			return err
		}
	}
	return nil
}

// wrong is an error with the line of n.
func wrong(n *yaml.Node, format string, a ...any) error {
	return fmt.Errorf("line %d: %s", n.Line, fmt.Sprintf(format, a...))
}

// fields reads a mapping that has no other keys than the known ones, each once.
func fields(n *yaml.Node, known ...string) (map[string]*yaml.Node, error) {
	if n.Kind != yaml.MappingNode {
		return nil, wrong(n, "this is not keys with values (known: %s)", strings.Join(known, ", "))
	}
	out := map[string]*yaml.Node{}
	for i := 0; i+1 < len(n.Content); i += 2 {
		key := n.Content[i]
		if key.Kind != yaml.ScalarNode || !slices.Contains(known, key.Value) {
			return nil, wrong(key, "unknown key %q (known: %s)", short(key.Value), strings.Join(known, ", "))
		}
		if out[key.Value] != nil {
			return nil, wrong(key, "the key %q is there twice", key.Value)
		}
		out[key.Value] = n.Content[i+1]
	}
	return out, nil
}

// list reads a list; a missing or empty value is an empty one.
func list(n *yaml.Node) ([]*yaml.Node, error) {
	if n == nil || isNone(n) {
		return nil, nil
	}
	if n.Kind != yaml.SequenceNode {
		return nil, wrong(n, "this is not a list")
	}
	return n.Content, nil
}

// text reads a text; a missing or empty value is an empty one. A number is taken as it is written: an account is one.
func text(n *yaml.Node) (string, error) {
	if n == nil || isNone(n) {
		return "", nil
	}
	if n.Kind != yaml.ScalarNode {
		return "", wrong(n, "this is not a text")
	}
	if strings.ContainsFunc(n.Value, unicode.IsControl) {
		return "", wrong(n, "this text has line breaks or control characters")
	}
	return n.Value, nil
}

func isNone(n *yaml.Node) bool { return n.Kind == yaml.ScalarNode && n.Tag == "!!null" }

// quote writes a text so that YAML reads the same text again.
func quote(s string) string {
	b, err := yaml.Marshal(s)
	if out := strings.TrimSuffix(string(b), "\n"); err == nil && !strings.Contains(out, "\n") {
		return out
	}
	return `"` + strings.Map(func(r rune) rune {
		if unicode.IsControl(r) || r == '"' || r == '\\' {
			return '?'
		}
		return r
	}, s) + `"`
}

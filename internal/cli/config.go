package cli

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"regexp"
	"slices"
	"strings"

	"go.yaml.in/yaml/v3"

	"transship/internal/ref"
)

// defaultConfig is the file that is read where it exists and no other is named.
const defaultConfig = "transship.yaml"

// file is what transship.yaml can say. Whatever a flag says, it can say too; a flag wins.
type file struct {
	From      []string  `yaml:"from"`
	To        string    `yaml:"to"`
	Mappings  []mapping `yaml:"mappings"`
	Include   []string  `yaml:"include"`
	Exclude   []string  `yaml:"exclude"`
	Workspace string    `yaml:"workspace"`
	Overwrite bool      `yaml:"overwrite"`
	Deep      bool      `yaml:"deep"`
	JSON      bool      `yaml:"json"`
	Yes       bool      `yaml:"yes"`
	Verbose   bool      `yaml:"verbose"`
	LogFormat string    `yaml:"log-format"`
}

// mapping is one entry of mappings.
type mapping struct {
	From string `yaml:"from"`
	To   string `yaml:"to"`
	line int
}

// UnmarshalYAML keeps the line, so that an error can name it.
func (m *mapping) UnmarshalYAML(n *yaml.Node) error {
	for i := 0; i+1 < len(n.Content); i += 2 {
		var to *string
		switch key := n.Content[i]; key.Value {
		case "from":
			to = &m.From
		case "to":
			to = &m.To
		default:
			return fmt.Errorf("line %d: unknown key %q in mappings (from and to are known)", key.Line, key.Value)
		}
		if err := n.Content[i+1].Decode(to); err != nil {
			return err
		}
	}
	m.line = n.Line
	return nil
}

// readConfig reads the file at path. A missing file is an error only where the user named it.
func readConfig(path string) (file, error) {
	named := path != ""
	if !named {
		path = defaultConfig
	}
	b, err := os.ReadFile(path)
	if errors.Is(err, fs.ErrNotExist) && !named {
		return file{}, nil
	}
	if err != nil {
		return file{}, usagef("the configuration cannot be read: %w", err)
	}
	f, err := parseConfig(b)
	if err != nil {
		return file{}, usagef("%s: %w", path, err)
	}
	return f, nil
}

// unknownKey is how the YAML library words a key that file does not have.
var unknownKey = regexp.MustCompile(`line (\d+): field (\S+) not found in type \S+`)

// parseConfig reads the text of a configuration. An unknown key is an error with its line.
func parseConfig(b []byte) (file, error) {
	var f file
	d := yaml.NewDecoder(bytes.NewReader(b))
	d.KnownFields(true)
	if err := d.Decode(&f); err != nil && !errors.Is(err, io.EOF) {
		if m := unknownKey.FindStringSubmatch(err.Error()); m != nil {
			return file{}, fmt.Errorf("line %s: unknown key %q (%s are known)", m[1], m[2], strings.Join(knownKeys(), ", "))
		}
		return file{}, errors.New(strings.TrimPrefix(strings.Join(strings.Fields(err.Error()), " "), "yaml: "))
	}
	return f, nil
}

// knownKeys are the top-level keys, sorted.
func knownKeys() []string {
	keys := []string{"from", "to", "mappings", "include", "exclude", "workspace", "overwrite", "deep", "json", "yes", "verbose", "log-format"}
	slices.Sort(keys)
	return keys
}

// rules makes the mapping of the file, with to as the default target.
func (f file) rules(to string) (ref.Mapping, error) {
	var m ref.Mapping
	if to != "" {
		t, err := ref.ParseTarget(to)
		if err != nil {
			return m, usagef("--to: %w", err)
		}
		m.Default = t
	}
	for _, entry := range f.Mappings {
		r, err := ref.ParseRule(entry.From, entry.To)
		if err != nil {
			return m, usagef("the mapping in line %d: %w", entry.line, err)
		}
		m.Rules = append(m.Rules, r)
	}
	return m, nil
}

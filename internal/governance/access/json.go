package access

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"strings"
	"unicode/utf8"
)

// maxPolicy bounds a policy in bytes. ECR takes 10,240 characters. FACTS A1 [S].
const maxPolicy = 64 << 10

// maxDepth bounds how deep a policy nests. Those of AWS nest five deep.
const maxDepth = 16

// node is a JSON value that has lost nothing: the standard library would drop the first of two equal keys and take
// "statement" for "Statement".
type node struct {
	kind  nodeKind
	text  string // of a string or number, as it means; true or false of a bool
	keys  []string
	items []node // of a list; of an object, in the order of keys
}

type nodeKind string

const (
	isObject nodeKind = "an object"
	isList   nodeKind = "a list"
	isString nodeKind = "a text"
	isNumber nodeKind = "a number"
	isBool   nodeKind = "true or false"
	isNull   nodeKind = "null"
)

// parseJSON reads one JSON value and nothing else.
func parseJSON(text string) (node, error) {
	if len(text) > maxPolicy {
		return node{}, fmt.Errorf("it has %d bytes, more than the %d that are read", len(text), maxPolicy)
	}
	if !utf8.ValidString(text) {
		return node{}, errors.New("it is not text in UTF-8")
	}
	d := json.NewDecoder(strings.NewReader(text))
	d.UseNumber()
	n, err := readNode(d, 0)
	if err == nil {
		if _, more := d.Token(); !errors.Is(more, io.EOF) {
			err = errors.New("there is more behind its end")
		}
	}
	if errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) {
		err = errors.New("it ends too early")
	}
	if err != nil {
		return node{}, fmt.Errorf("it is no valid JSON: %w", err)
	}
	return n, nil
}

func readNode(d *json.Decoder, depth int) (node, error) {
	if depth > maxDepth {
		return node{}, fmt.Errorf("it nests more than %d deep", maxDepth)
	}
	token, err := d.Token()
	if err != nil {
		return node{}, err
	}
	switch t := token.(type) {
	case string:
		return node{kind: isString, text: t}, nil
	case json.Number:
		return node{kind: isNumber, text: t.String()}, nil
	case bool:
		return node{kind: isBool, text: fmt.Sprint(t)}, nil
	case json.Delim:
		if t == '{' {
			return readObject(d, depth)
		}
		return readList(d, depth)
	}
	return node{kind: isNull}, nil
}

func readObject(d *json.Decoder, depth int) (node, error) {
	n := node{kind: isObject}
	seen := map[string]bool{}
	for d.More() {
		token, err := d.Token()
		if err != nil {
			return node{}, err
		}
		key, _ := token.(string)
		if seen[key] {
			return node{}, fmt.Errorf("%q is there twice", short(key))
		}
		seen[key] = true
		item, err := readNode(d, depth+1)
		if err != nil {
			return node{}, err
		}
		n.keys, n.items = append(n.keys, key), append(n.items, item)
	}
	_, err := d.Token()
	return n, err
}

func readList(d *json.Decoder, depth int) (node, error) {
	n := node{kind: isList}
	for d.More() {
		item, err := readNode(d, depth+1)
		if err != nil {
			return node{}, err
		}
		n.items = append(n.items, item)
	}
	_, err := d.Token()
	return n, err
}

// strings reads a text or a list of texts, which must not be empty.
func (n node) strings(what string) ([]string, error) {
	items := n.items
	if n.kind == isString {
		items = []node{n}
	} else if n.kind != isList {
		return nil, fmt.Errorf("%s is %s, not a text or a list of texts", what, n.kind)
	}
	if len(items) == 0 {
		return nil, fmt.Errorf("%s is an empty list", what)
	}
	out := make([]string, 0, len(items))
	for _, item := range items {
		if item.kind != isString {
			return nil, fmt.Errorf("%s holds %s, not a text", what, item.kind)
		}
		if item.text == "" {
			return nil, fmt.Errorf("%s holds an empty text", what)
		}
		out = append(out, item.text)
	}
	return out, nil
}

// String is the value as compact JSON.
func (n node) String() string {
	switch n.kind {
	case isString:
		b, _ := json.Marshal(n.text) // a string always can be
		return string(b)
	case isNumber, isBool:
		return n.text
	case isNull:
		return "null"
	}
	parts := make([]string, 0, len(n.items))
	for i, item := range n.items {
		part := item.String()
		if n.kind == isObject {
			part = node{kind: isString, text: n.keys[i]}.String() + ":" + part
		}
		parts = append(parts, part)
	}
	if n.kind == isObject {
		return "{" + strings.Join(parts, ",") + "}"
	}
	return "[" + strings.Join(parts, ",") + "]"
}

// short is s in a length that fits into a message, without line breaks.
func short(s string) string { return shorten(s, 120) }

// shorten is s with at most so many bytes and what says that there is more, without line breaks.
func shorten(s string, most int) string {
	s = strings.Join(strings.Fields(s), " ")
	if len(s) <= most {
		return s
	}
	return strings.ToValidUTF8(s[:most], "") + "…"
}

package structure

import (
	"strings"

	"transship/internal/rewrite/mention"
)

// nodeKind is what a node is.
type nodeKind int

const (
	scalar nodeKind = iota
	mapping
	sequence
)

// node is a value in a text.
type node struct {
	kind   nodeKind
	text   string       // of a scalar: what it says
	at     int          // where it begins, for its line
	span   mention.Span // of a scalar: the bytes that are text, to the letter; empty where they are not, as with escapes
	uses   int          // by how many aliases it is used as well
	fields []field      // of a mapping, those that are merged into it too
	items  []*node      // of a sequence
}

// field is a key with its value.
type field struct {
	key   string
	value *node
}

// get is the value of a key, or nil.
func (n *node) get(key string) *node {
	if n != nil {
		for _, f := range n.fields {
			if f.key == key {
				return f.value
			}
		}
	}
	return nil
}

// path is the value behind a row of keys, or nil.
func (n *node) path(keys ...string) *node {
	for _, k := range keys {
		n = n.get(k)
	}
	return n
}

// word is the text of a scalar under one of the keys, the first that is not empty.
func (n *node) word(keys ...string) string {
	for _, k := range keys {
		if v := n.get(k); v != nil && v.kind == scalar && v.text != "" {
			return v.text
		}
	}
	return ""
}

// list are the items under a key.
func (n *node) list(key string) []*node {
	if v := n.get(key); v != nil {
		return v.items
	}
	return nil
}

// part is the span of a part of a scalar's text; empty where the text is not written to the letter.
func (n *node) part(s mention.Span) mention.Span {
	if n.span.Start == n.span.End {
		return mention.Span{}
	}
	return mention.Span{Start: n.span.Start + s.Start, End: n.span.Start + s.End}
}

// where is the offset of a scalar, for its line.
func (n *node) where() int {
	if n.span.Start < n.span.End {
		return n.span.Start
	}
	return n.at
}

// isLiteral reports whether nothing in a text is a variable, as far as any of the languages goes.
func isLiteral(s string) bool { return s != "" && !strings.ContainsAny(s, "${}<>%*") }

// walk calls visit with every mapping below a node and with the key that it is under, each once.
func walk(n *node, key string, seen map[*node]bool, visit func(m *node, key string)) {
	if n == nil || seen[n] || n.kind == scalar {
		return
	}
	seen[n] = true
	if n.kind == mapping {
		visit(n, key)
	}
	for _, f := range n.fields {
		walk(f.value, f.key, seen, visit)
	}
	for _, i := range n.items {
		walk(i, key, seen, visit)
	}
}

// plainKey is a key without its case, hyphens and underscores.
func plainKey(s string) string {
	return strings.Map(func(r rune) rune {
		switch {
		case r == '_' || r == '-':
			return -1
		case 'A' <= r && r <= 'Z':
			return r + 'a' - 'A'
		}
		return r
	}, s)
}

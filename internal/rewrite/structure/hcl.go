package structure

import (
	"bytes"

	"transship/internal/rewrite/mention"
)

// maxDepth is how deep structures may be nested; what is deeper is not looked at.
const maxDepth = 64

// hclReader reads what matters of HCL: blocks, attributes, objects and lists. It takes everything, for half of the files are
// templates: what it does not know, it passes over.
type hclReader struct {
	text     []byte
	at       int
	json     bool // it is JSON: a value is one thing, may begin on the next line, and holds no expressions
	heredocs []mention.Span
}

// parseJSON reads a text of JSON, with comments and commas too many, as some tools have them.
func parseJSON(text []byte) *node {
	r := &hclReader{text: text, json: true}
	return r.expression(0)
}

// parseHCL reads a file. Blocks are fields under their type. It says where heredocs are, too.
func parseHCL(text []byte) (*node, []mention.Span) {
	r := &hclReader{text: text}
	root := &node{kind: mapping}
	for r.at < len(text) {
		r.body(root, 0)
		r.at++ // a bracket too many
	}
	return root, r.heredocs
}

// body reads fields until a bracket closes.
func (r *hclReader) body(m *node, depth int) {
	for {
		r.space(true)
		if r.at >= len(r.text) || r.text[r.at] == '}' || r.text[r.at] == ')' || r.text[r.at] == ']' {
			return
		}
		c := r.text[r.at]
		if c != '"' && !isAlphanumeric(c) && c != '_' && c != '(' {
			r.at++
			continue
		}
		key := r.key()
		r.space(r.json)
		switch {
		case r.peek('=') && !r.peekNext('=') || r.peek(':'):
			r.at++
			m.fields = append(m.fields, field{key, r.expression(depth + 1)})
		case r.peek('{'):
			m.fields = append(m.fields, field{key, r.object(depth + 1)})
		case r.peek('"') || r.at < len(r.text) && (isAlphanumeric(r.text[r.at]) || r.text[r.at] == '_'):
			r.label(m, key, depth)
		}
	}
}

// label reads the labels of a block, and then the block.
func (r *hclReader) label(m *node, key string, depth int) {
	for r.peek('"') || r.at < len(r.text) && (isAlphanumeric(r.text[r.at]) || r.text[r.at] == '_') {
		r.key()
		r.space(false)
	}
	if r.peek('{') {
		m.fields = append(m.fields, field{key, r.object(depth + 1)})
	}
}

// key reads a name, in quotes or not.
func (r *hclReader) key() string {
	if r.text[r.at] == '"' {
		return r.quoted().text
	}
	start := r.at
	for r.at < len(r.text) && isHostByte(r.text[r.at]) {
		r.at++
	}
	if r.at == start {
		r.at++
	}
	return string(r.text[start:r.at])
}

// object reads a body in braces.
func (r *hclReader) object(depth int) *node {
	n := &node{kind: mapping, at: r.at}
	r.at++
	if depth > maxDepth {
		r.at = len(r.text)
		return n
	}
	r.body(n, depth)
	if r.peek('}') {
		r.at++
	}
	return n
}

// expression reads what is behind an equals sign. What is more than one string, object or list is a scalar without a text;
// the objects in it are its items.
func (r *hclReader) expression(depth int) *node {
	r.space(r.json)
	if depth > maxDepth {
		r.at = len(r.text)
	}
	n := &node{at: r.at}
	var parts []*node
	others := false
	for r.at < len(r.text) && (!r.json || len(parts) == 0) {
		switch c := r.text[r.at]; {
		case c == '"':
			parts = append(parts, r.quoted())
		case c == '{':
			parts = append(parts, r.object(depth))
		case c == '[' || c == '(':
			parts = append(parts, r.sequence(depth))
		case bytes.HasPrefix(r.text[r.at:], []byte("<<")):
			r.heredoc()
			others = true
		case c == '\n' || c == ',' || c == '}' || c == ']' || c == ')':
			return combine(n, parts, others)
		case c == ' ' || c == '\t' || c == '\r' || c == '#' || c == '/':
			at := r.at
			r.space(false)
			if r.at == at {
				r.at++
				others = true
			}
		default:
			r.at++
			others = true
		}
	}
	return combine(n, parts, others)
}

func combine(n *node, parts []*node, others bool) *node {
	if len(parts) == 1 && !others {
		return parts[0]
	}
	n.kind, n.items = sequence, parts
	return n
}

// sequence reads a list, or the arguments of a function.
func (r *hclReader) sequence(depth int) *node {
	n := &node{kind: sequence, at: r.at}
	r.at++
	for {
		r.space(true)
		if r.at >= len(r.text) {
			return n
		}
		switch c := r.text[r.at]; c {
		case ']', ')', '}':
			if c != '}' {
				r.at++
			}
			return n
		case ',':
			r.at++
		default:
			at := r.at
			n.items = append(n.items, r.expression(depth+1))
			if r.at == at {
				r.at++
			}
		}
	}
}

// quoted reads a string. Its span is empty where it has escapes.
func (r *hclReader) quoted() *node {
	start := r.at + 1
	escaped := false
	depth := 0 // of ${ and %{
	for r.at = start; r.at < len(r.text); r.at++ {
		switch c := r.text[r.at]; {
		case c == '\\':
			escaped = true
			r.at++
		case !r.json && (c == '$' || c == '%') && bytes.HasPrefix(r.text[r.at+1:], []byte("{")):
			depth++
			r.at++
		case c == '}' && depth > 0:
			depth--
		case c == '\n' || c == '"' && depth == 0:
			n := &node{text: string(r.text[start:r.at]), at: start}
			if c == '"' {
				r.at++
				if !escaped {
					n.span = mention.Span{Start: start, End: start + len(n.text)}
				}
			}
			return n
		}
	}
	r.at = len(r.text)
	return &node{text: string(r.text[min(start, len(r.text)):]), at: min(start, len(r.text))}
}

// heredoc passes over a heredoc, whose text may be YAML.
func (r *hclReader) heredoc() {
	r.at += len("<<")
	if r.peek('-') {
		r.at++
	}
	start := r.at
	for r.at < len(r.text) && isHostByte(r.text[r.at]) {
		r.at++
	}
	word := r.text[start:r.at]
	if len(word) == 0 {
		return
	}
	first := r.at
	for {
		n := bytes.IndexByte(r.text[r.at:], '\n')
		if n < 0 {
			r.at = len(r.text)
			return
		}
		end := r.at
		r.at += n + 1
		line, _, _ := bytes.Cut(r.text[r.at:], []byte("\n"))
		if bytes.Equal(bytes.TrimSpace(line), word) {
			r.heredocs = append(r.heredocs, mention.Span{Start: min(first+1, r.at), End: max(end, r.at)})
			r.at += len(line)
			return
		}
	}
}

// space passes over white space and comments.
func (r *hclReader) space(lines bool) {
	for r.at < len(r.text) {
		rest := r.text[r.at:]
		n := 0
		switch {
		case rest[0] == ' ' || rest[0] == '\t' || rest[0] == '\r' || rest[0] == '\n' && lines:
			n = 1
		case rest[0] == '#' || bytes.HasPrefix(rest, []byte("//")):
			if n = bytes.IndexByte(rest, '\n'); n < 0 {
				n = len(rest)
			}
		case bytes.HasPrefix(rest, []byte("/*")):
			if n = bytes.Index(rest, []byte("*/")); n < 0 {
				n = len(rest)
			} else {
				n += len("*/")
			}
		}
		if n == 0 {
			return
		}
		r.at += n
	}
}

func (r *hclReader) peek(c byte) bool { return r.at < len(r.text) && r.text[r.at] == c }

func (r *hclReader) peekNext(c byte) bool { return r.at+1 < len(r.text) && r.text[r.at+1] == c }

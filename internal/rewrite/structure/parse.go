package structure

import (
	"bytes"
	"strings"
	"unicode/utf8"

	"go.yaml.in/yaml/v3"

	"transship/internal/rewrite/mention"
)

// maxParsed is the size of the largest document that a parser reads, whose nodes take some forty times as much memory. What
// is larger is read line by line.
const maxParsed = 4 << 20

// maxMerged is how many fields of a document may come from merge keys. What is beyond is not seen, and reported as half a pair.
const maxMerged = 100_000

// chunk is one document of a YAML file.
type chunk struct{ start, end int }

// chunks cuts a YAML file at its document markers, which nothing can hide: not even a block scalar has one at a line's
// beginning.
func chunks(b []byte) []chunk {
	var out []chunk
	start := 0
	for at := 0; at < len(b); {
		next := len(b)
		if n := bytes.IndexByte(b[at:], '\n'); n >= 0 {
			next = at + n + 1
		}
		line := b[at:next]
		marker := bytes.HasPrefix(line, []byte("---")) || bytes.HasPrefix(line, []byte("..."))
		marker = marker && (len(line) == 3 || bytes.IndexByte([]byte(" \t\r\n"), line[3]) >= 0)
		if marker && at > start {
			out = append(out, chunk{start, at})
			start = at
		}
		at = next
	}
	return append(out, chunk{start, len(b)})
}

// parser makes nodes of a parsed document.
type parser struct {
	text   []byte // the file
	base   int    // where the document begins in it
	end    int
	starts []int // where its lines begin
	merged int   // how many fields merge keys brought
	made   map[*yaml.Node]*node
}

// parse reads a document as YAML, of which JSON is a part. It returns nil where no parser takes it.
func parse(text []byte, c chunk) (root *node, blocks []mention.Span) {
	if c.end-c.start > maxParsed {
		return nil, nil
	}
	// The library is known to panic on some malformed texts.
	defer func() {
		if recover() != nil {
			root, blocks = nil, nil
		}
	}()
	var doc yaml.Node
	if err := yaml.Unmarshal(text[c.start:c.end], &doc); err != nil || len(doc.Content) != 1 {
		return nil, nil
	}
	p := &parser{text: text, base: c.start, end: c.end, made: map[*yaml.Node]*node{}}
	p.starts = lineStarts(text, c)
	return p.node(doc.Content[0]), p.blocks(&doc, nil)
}

// lineStarts says where the lines of a document begin, as YAML counts them: the next line, the line separator and the
// paragraph separator of Unicode end one too.
func lineStarts(b []byte, c chunk) []int {
	starts := []int{c.start}
	for i := c.start; i < c.end; {
		switch {
		case b[i] == '\r' && i+1 < c.end && b[i+1] == '\n':
			i += 2
		case b[i] == '\r' || b[i] == '\n':
			i++
		case bytes.HasPrefix(b[i:c.end], []byte("\u0085")):
			i += 2
		case bytes.HasPrefix(b[i:c.end], []byte("\u2028")), bytes.HasPrefix(b[i:c.end], []byte("\u2029")):
			i += 3
		default:
			i++
			continue
		}
		starts = append(starts, i)
	}
	return starts
}

// offset is where a node begins in the file; the library counts characters.
func (p *parser) offset(n *yaml.Node) int {
	if n.Line < 1 || n.Line > len(p.starts) {
		return -1
	}
	at := p.starts[n.Line-1]
	for i := 1; i < n.Column && at < p.end; i++ {
		_, size := utf8.DecodeRune(p.text[at:p.end])
		at += size
	}
	// Anchor and tag are before the value.
	for at < p.end && (p.text[at] == '&' || p.text[at] == '!') {
		for at < p.end && bytes.IndexByte([]byte(" \t\r\n"), p.text[at]) < 0 {
			at++
		}
		for at < p.end && (p.text[at] == ' ' || p.text[at] == '\t') {
			at++
		}
	}
	return min(at, p.end)
}

func (p *parser) node(y *yaml.Node) *node {
	if y.Kind == yaml.AliasNode {
		n := p.node(y.Alias)
		n.uses++
		return n
	}
	if n, ok := p.made[y]; ok {
		return n
	}
	n := &node{at: max(p.offset(y), p.base)}
	p.made[y] = n
	switch y.Kind {
	case yaml.MappingNode:
		n.kind = mapping
		p.mapping(n, y)
	case yaml.SequenceNode:
		n.kind = sequence
		for _, c := range y.Content {
			n.items = append(n.items, p.node(c))
		}
	case yaml.ScalarNode:
		if y.Tag == "!!null" {
			break // ~ and null are no text
		}
		n.text = y.Value
		n.span = p.scalar(y, n.at)
	}
	return n
}

func (p *parser) mapping(n *node, y *yaml.Node) {
	var merged []*node
	for i := 0; i+1 < len(y.Content); i += 2 {
		key, value := y.Content[i], p.node(y.Content[i+1])
		if key.Kind != yaml.ScalarNode {
			n.fields = append(n.fields, field{"", value}) // a key that is no word is no rule's, but what is below may be
			continue
		}
		if key.Value == "<<" && key.Style == 0 {
			if value.kind == sequence {
				merged = append(merged, value.items...)
			} else {
				merged = append(merged, value)
			}
			continue
		}
		n.fields = append(n.fields, field{key.Value, value})
	}
	if len(merged) == 0 {
		return
	}
	own := map[string]bool{}
	for _, f := range n.fields {
		own[f.key] = true
	}
	for _, m := range merged {
		for _, f := range m.fields {
			if p.merged < maxMerged && !own[f.key] {
				own[f.key] = true
				p.merged++
				n.fields = append(n.fields, f)
			}
		}
	}
}

// scalar is the span of a scalar's text. The position is not trusted: the bytes there must be the text.
func (p *parser) scalar(y *yaml.Node, at int) mention.Span {
	b := p.text[at:p.end]
	quote := 0
	switch y.Style &^ yaml.TaggedStyle {
	case yaml.SingleQuotedStyle, yaml.DoubleQuotedStyle:
		quote = 1
		if len(b) == 0 || b[0] != '\'' && b[0] != '"' {
			return mention.Span{}
		}
	case yaml.LiteralStyle, yaml.FoldedStyle:
		return p.block(y, at)
	}
	end := quote + len(y.Value)
	if y.Value == "" || !bytes.HasPrefix(b[quote:], []byte(y.Value)) || quote == 1 && (end >= len(b) || b[end] != b[0]) {
		return mention.Span{}
	}
	return mention.Span{Start: at + quote, End: at + end}
}

// block is the span of a block scalar of one line.
func (p *parser) block(y *yaml.Node, at int) mention.Span {
	value := strings.TrimRight(y.Value, "\n")
	eol := bytes.IndexByte(p.text[at:p.end], '\n')
	if eol < 0 || value == "" || strings.Contains(value, "\n") {
		return mention.Span{}
	}
	rest := p.text[at+eol : p.end]
	trimmed := bytes.TrimLeft(rest, " \t\r\n")
	start := at + eol + len(rest) - len(trimmed)
	line, _, _ := bytes.Cut(trimmed, []byte("\n"))
	if string(bytes.TrimRight(line, "\r")) != value {
		return mention.Span{}
	}
	return mention.Span{Start: start, End: start + len(value)}
}

// blocks are the regions of the literal block scalars below y, to be read line by line: texts within the text.
func (p *parser) blocks(y *yaml.Node, out []mention.Span) []mention.Span {
	for _, c := range y.Content {
		out = p.blocks(c, out)
	}
	if y.Kind != yaml.ScalarNode || y.Style&yaml.LiteralStyle == 0 {
		return out
	}
	at := p.offset(y)
	if at < 0 {
		return out
	}
	// As many lines as the text has, and those that are cut off its end do not matter.
	first := y.Line
	last := min(first+strings.Count(y.Value, "\n"), len(p.starts)-1)
	if first >= len(p.starts) {
		return out
	}
	end := p.end
	if last+1 < len(p.starts) {
		end = p.starts[last+1]
	}
	return append(out, mention.Span{Start: p.starts[first], End: end})
}

// documents reads a file of YAML, or a template of one, and applies the rules. A template is often YAML all the same; lines
// that decide what else is there, no parser takes.
func (j *judge) documents() {
	text := j.file.Text
	var roots []*node
	for _, c := range chunks(text) {
		if !j.hosts.in(text[c.start:c.end]) && !j.needsAll() {
			continue
		}
		root, blocks := parse(text, c)
		if root == nil {
			j.broken = true
			j.lines(mention.Span{Start: c.start, End: c.end})
			continue
		}
		roots = append(roots, root)
		j.document(root)
		for _, b := range blocks {
			if j.hosts.in(text[b.Start:b.End]) {
				j.lines(b)
			}
		}
	}
	j.repositories(roots)
}

// document applies the rules to a document.
func (j *judge) document(root *node) {
	j.body(root, "")
	if root.kind == mapping {
		j.kustomization(root)
		j.gitOps(root)
	}
}

// body applies the rules that look at one mapping alone to all below a node.
func (j *judge) body(root *node, key string) {
	var all []*node
	walk(root, key, map[*node]bool{}, func(m *node, _ string) {
		all = append(all, m)
		for _, f := range m.fields {
			if f.value.kind == scalar {
				j.holders[f.value] = append(j.holders[f.value], m)
			}
		}
	})
	walk(root, key, map[*node]bool{}, func(m *node, key string) {
		j.registries(m, key, all)
		j.chart(m)
		j.settings(m, key)
		j.credentials(m)
	})
}

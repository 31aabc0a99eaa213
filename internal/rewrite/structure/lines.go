package structure

import (
	"bytes"
	"strings"

	"transship/internal/rewrite/mention"
)

// block is a mapping that is being read line by line.
type block struct {
	column int
	node   *node
}

// liner reads what no parser takes. It knows lines such as "key: value", "- key: value" and "key = "value"," by their indentation; whatever
// else is there ends the mapping that it stands in.
type liner struct {
	text []byte
	open []block
	all  []field // every mapping, under the key that it is under
}

// lines reads a region line by line, and applies the rules that look at one mapping alone.
func (j *judge) lines(s mention.Span) {
	if !j.hosts.in(j.file.Text[s.Start:s.End]) {
		return
	}
	l := liner{text: j.file.Text}
	for at := s.Start; at < s.End; {
		next := s.End
		if n := bytes.IndexByte(l.text[at:s.End], '\n'); n >= 0 {
			next = at + n + 1
		}
		l.line(at, next)
		at = next
	}
	all := make([]*node, 0, len(l.all))
	for _, f := range l.all {
		all = append(all, f.value)
	}
	for _, f := range l.all {
		j.registries(f.value, f.key, all)
		j.chart(f.value)
		j.credentials(f.value)
		if url := f.value.get("url"); url != nil && f.value.get("oci") != nil { // of helmfile
			if p, ok := j.hosts.place(url.text); ok {
				j.prefix(url, p, nil, 0)
			}
		}
	}
}

func (l *liner) line(start, end int) {
	line := bytes.TrimRight(l.text[start:end], " \t\r\n")
	at := len(line) - len(bytes.TrimLeft(line, " \t"))
	rest := line[at:]
	switch {
	case len(rest) == 0 || isComment(rest):
		return
	case bytes.HasPrefix(rest, []byte("{{")), bytes.HasPrefix(rest, []byte("{%")), bytes.HasPrefix(rest, []byte("---")):
		l.open = nil // what a template makes of the lines around it is not known
		return
	}
	item := false
	for bytes.HasPrefix(rest, []byte("- ")) {
		item = true
		n := len(rest) - len(bytes.TrimLeft(rest[1:], " "))
		at, rest = at+n, rest[n:]
	}
	indent := at
	for i, b := range line[:at] {
		if b == '\t' && i > 0 && line[i-1] != '\t' { // mixed: no column can be told
			l.open = nil
			return
		}
	}
	key, value, ok := keyValue(rest)
	l.close(indent, item || !ok)
	if !ok {
		return
	}
	l.add(indent, field{key, valueNode(l.text, start+at+value.Start, start+at+value.End)})
}

// isComment reports whether a line is one, in YAML, JSON with comments, Helm's templates or Jinja.
func isComment(line []byte) bool {
	for _, c := range []string{"#", "//", "{{/*", "{{- /*", "{#"} {
		if bytes.HasPrefix(line, []byte(c)) {
			return true
		}
	}
	return false
}

// close ends the mappings that are further in than a column, and the one at it where a new one begins.
func (l *liner) close(column int, same bool) {
	for n := len(l.open); n > 0; n-- {
		if c := l.open[n-1].column; c < column || c == column && !same {
			break
		}
		l.open = l.open[:n-1]
	}
}

func (l *liner) add(column int, f field) {
	n := len(l.open)
	if n == 0 || l.open[n-1].column != column {
		under := ""
		if n > 0 {
			if fields := l.open[n-1].node.fields; len(fields) > 0 {
				under = fields[len(fields)-1].key
			}
		}
		m := &node{kind: mapping, at: f.value.at}
		l.open = append(l.open, block{column, m})
		l.all = append(l.all, field{under, m})
		n++
	}
	m := l.open[n-1].node
	m.fields = append(m.fields, f)
}

// keyValue reads "key: value", with the key in quotes or without, or an argument such as key = "value" with a comma behind it,
// as Starlark has them. It says where the value is in the line.
func keyValue(line []byte) (key string, value mention.Span, ok bool) {
	quoted := len(line) > 0 && (line[0] == '"' || line[0] == '\'')
	at := 0
	if quoted {
		end := bytes.IndexByte(line[1:], line[0])
		if end < 0 {
			return "", value, false
		}
		key, at = string(line[1:1+end]), end+2
	} else {
		for at < len(line) && (isHostByte(line[at]) || line[at] == '/') {
			at++
		}
		key = string(line[:at])
	}
	for at < len(line) && line[at] == ' ' {
		at++
	}
	if key == "" || at == len(line) || line[at] != ':' && line[at] != '=' {
		return "", value, false
	}
	argument := line[at] == '='
	at++
	if !argument && at < len(line) && line[at] != ' ' && line[at] != '\t' && !quoted {
		return "", value, false
	}
	for at < len(line) && (line[at] == ' ' || line[at] == '\t') {
		at++
	}
	end := len(line)
	if at < end && (line[at] == '"' || line[at] == '\'') {
		if n := bytes.IndexByte(line[at+1:], line[at]); n >= 0 {
			if argument && !bytes.Equal(bytes.TrimRight(line[at+n+2:], " "), []byte(",")) {
				return "", value, false // an assignment: the value is used elsewhere
			}
			return key, mention.Span{Start: at, End: at + n + 2}, true
		}
		return key, mention.Span{Start: at, End: end}, true
	}
	if argument {
		return "", value, false
	}
	if n := bytes.Index(line[at:], []byte(" #")); n >= 0 {
		end = at + n
	}
	if quoted && end > at && line[end-1] == ',' {
		end--
	}
	return key, mention.Span{Start: at, End: at + len(bytes.TrimRight(line[at:end], " \t"))}, true
}

// unknownUses stands for how often an anchor is used, where nothing tells.
const unknownUses = 1 << 30

// valueNode is a scalar that is written in text[start:end], with its quotes where it has some. Where it is not written to the
// letter, its span is empty.
func valueNode(text []byte, start, end int) *node {
	n := &node{at: start}
	b := text[start:end]
	if len(b) >= 2 && b[0] == b[len(b)-1] && (b[0] == '"' || b[0] == '\'') {
		start, end = start+1, end-1
		b = text[start:end]
	} else if len(b) > 0 && b[0] == '&' && bytes.IndexByte(b, ' ') > 0 {
		// Where the anchor is used, no line tells.
		skip := bytes.IndexByte(b, ' ')
		skip += len(b[skip:]) - len(bytes.TrimLeft(b[skip:], " "))
		n = valueNode(text, start+skip, end)
		n.uses = unknownUses
		return n
	} else if len(b) > 0 && strings.IndexByte("&*!|>[{\"'", b[0]) >= 0 {
		// An anchor, a block, a flow: nothing that a line tells of.
		n.text = string(b)
		return n
	}
	n.text = string(b)
	if bytes.IndexByte(b, '\\') < 0 {
		n.span = mention.Span{Start: start, End: end}
	}
	return n
}

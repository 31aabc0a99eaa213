package structure

import (
	"bytes"
	"slices"
	"strings"

	"transship/internal/rewrite/mention"
)

// setting is a value under a path with dots, as Helm takes them: image.registry=HOST.
type setting struct {
	path  string
	value *node
}

// dotted makes mappings of settings, one for each path without its last part, and applies the rules for pairs to them.
func (j *judge) dotted(all []setting) {
	var fields []field
	byPath := map[string]*node{}
	for _, s := range all {
		prefix, key := "", s.path
		if n := strings.LastIndexByte(s.path, '.'); n >= 0 {
			prefix, key = s.path[:n], s.path[n+1:]
		}
		m, ok := byPath[prefix]
		if !ok {
			m = &node{kind: mapping, at: s.value.at}
			byPath[prefix] = m
			fields = append(fields, field{prefix[strings.LastIndexByte(prefix, '.')+1:], m})
		}
		m.fields = append(m.fields, field{key, s.value})
	}
	mappings := make([]*node, 0, len(fields))
	for _, f := range fields {
		mappings = append(mappings, f.value)
	}
	for _, f := range fields {
		j.registries(f.value, f.key, mappings)
	}
}

// settings reads Argo CD's helm.parameters, and the set blocks of Terraform's helm_release, old form and new.
func (j *judge) settings(m *node, under string) {
	var items []*node
	for _, f := range m.fields {
		switch f.key {
		case "set", "set_sensitive":
		case "parameters":
			if under != "helm" { // those of a workflow are for anything
				continue
			}
		default:
			continue
		}
		if f.value.kind == mapping {
			items = append(items, f.value)
		}
		items = append(items, f.value.items...)
	}
	var all []setting
	for _, i := range items {
		name, value := i.word("name"), i.get("value")
		if name != "" && value != nil && value.kind == scalar {
			all = append(all, setting{name, value})
		}
	}
	if len(all) > 0 {
		j.dotted(all)
	}
}

var setFlag = []byte("--set")

// flags reads the --set arguments of commands, wherever they stand. Those of one command belong together.
func (j *judge) flags() {
	text := j.file.Text
	var command []setting
	last := 0 // behind the last argument
	for at := 0; ; {
		n := bytes.Index(text[at:], setFlag)
		if n < 0 {
			break
		}
		start := at + n
		at = start + len(setFlag)
		end, ok := flagValue(text, at)
		if !ok {
			continue
		}
		if len(command) > 0 && !sameCommand(text, last, start) {
			j.dotted(command)
			command = nil
		}
		var more []setting
		more, last = assignments(text, end)
		command, at = append(command, more...), max(at, last)
	}
	if len(command) > 0 && slices.ContainsFunc(command, func(s setting) bool { return j.hosts.in([]byte(s.value.text)) }) {
		j.dotted(command)
	}
}

// flagValue finds where the argument of a --set begins, of which text[:at] is the flag: behind a space, an equals sign, or
// what stands between two elements of a list.
func flagValue(text []byte, at int) (int, bool) {
	for _, more := range []string{"-string", "-literal"} {
		if bytes.HasPrefix(text[at:], []byte(more)) {
			at += len(more)
		}
	}
	start := at
	for at < len(text) && at-start < 40 && bytes.IndexByte([]byte(" \t=,\"'\r\n-\\`[]"), text[at]) >= 0 {
		at++
	}
	return at, at > start && at < len(text)
}

// sameCommand reports whether what begins at b[to:] goes on with the command that b[:from] ends in: on the same line, on one
// that the line before says goes on, or as the next element of a list.
func sameCommand(b []byte, from, to int) bool {
	between := b[from:to]
	for {
		line, rest, more := bytes.Cut(between, []byte("\n"))
		if !more {
			return !bytes.ContainsAny(line, ";|&")
		}
		line = bytes.TrimRight(line, " \t\r")
		element := len(bytes.Trim(rest, " \t\r\"'-,")) == 0 && len(bytes.Trim(line, " \t\"',]")) == 0
		goesOn := len(line) > 0 && bytes.IndexByte([]byte("\\`^"), line[len(line)-1]) >= 0
		if !element && !goesOn || bytes.ContainsAny(line, ";|&") {
			return false
		}
		between = rest
	}
}

// assignments reads name=value,name=value at text[at:], and says where they end.
func assignments(text []byte, at int) (out []setting, end int) {
	for {
		start := at
		for at < len(text) && (isHostByte(text[at]) || text[at] == '[' || text[at] == ']' || text[at] == '/') {
			at++
		}
		if at == start || at >= len(text) || text[at] != '=' {
			return out, at
		}
		path := string(text[start:at])
		at++
		for at < len(text) && bytes.IndexByte([]byte(`"'\`), text[at]) >= 0 && text[at-1] != ' ' {
			at++
		}
		start = at
		for at < len(text) && bytes.IndexByte([]byte(" \t\r\n,\"'`;|&)\\"), text[at]) < 0 {
			at++
		}
		n := &node{text: string(text[start:at]), at: start}
		if at < len(text) && text[at] != '\\' || at == len(text) {
			n.span = mention.Span{Start: start, End: at}
		}
		out = append(out, setting{path, n})
		for at < len(text) && (text[at] == '"' || text[at] == '\'') {
			at++
		}
		if at >= len(text) || text[at] != ',' {
			return out, at
		}
		at++
	}
}

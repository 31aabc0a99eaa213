package document

import (
	"bytes"
	"encoding"
	"encoding/json"
	"io"
	"reflect"
	"strings"
)

// Encode writes v as the documents are written: indented, with <, > and & as themselves. The bytes are those of
// json.Encoder, which would hold the whole document in memory, twice: here it is one element of a list at a time.
func Encode(w io.Writer, v any) error {
	e := &encoder{w: w}
	e.one = json.NewEncoder(&e.buf)
	e.one.SetEscapeHTML(false)
	// A value that is reached through a pointer is encoded in place, rather than as a copy.
	root := reflect.ValueOf(v)
	if root.Kind() == reflect.Struct {
		pointer := reflect.New(root.Type())
		pointer.Elem().Set(root)
		root = pointer
	}
	if root.Kind() == reflect.Pointer && !root.IsNil() {
		e.value(root.Elem(), 0)
	} else {
		e.whole(root, 0)
	}
	e.text("\n")
	return e.err
}

// encoder writes one document. After an error it does nothing more.
type encoder struct {
	w   io.Writer
	buf bytes.Buffer
	one *json.Encoder // into buf
	err error
}

func (e *encoder) text(s string) {
	if e.err == nil {
		_, e.err = io.WriteString(e.w, s)
	}
}

func (e *encoder) line(depth int) { e.text("\n" + strings.Repeat(" ", depth)) }

// value writes v, which is on a line that is indented by depth.
func (e *encoder) value(v reflect.Value, depth int) {
	switch {
	case isParted(v.Type()):
		e.object(v, depth)
	case isList(v.Type()) && v.Len() > 0:
		separator := "["
		for i := range v.Len() {
			e.text(separator)
			e.line(depth + 1)
			e.whole(v.Index(i), depth+1)
			separator = ","
		}
		e.line(depth)
		e.text("]")
	default:
		e.whole(v, depth)
	}
}

func (e *encoder) object(v reflect.Value, depth int) {
	separator := "{"
	for _, f := range fields(v.Type()) {
		member := v.FieldByIndex(f.index)
		if f.omits(member) {
			continue
		}
		e.text(separator)
		e.line(depth + 1)
		e.text(`"` + f.name + `": `)
		e.value(member, depth+1)
		separator = ","
	}
	if separator == "{" {
		e.text("{}")
		return
	}
	e.line(depth)
	e.text("}")
}

// whole writes v as json.Encoder does.
func (e *encoder) whole(v reflect.Value, depth int) {
	if e.err != nil {
		return
	}
	var in any
	switch {
	case v.IsValid() && v.CanAddr():
		in = v.Addr().Interface()
	case v.IsValid():
		in = v.Interface()
	}
	e.buf.Reset()
	e.one.SetIndent(strings.Repeat(" ", depth), " ")
	if e.err = e.one.Encode(in); e.err == nil {
		_, e.err = e.w.Write(bytes.TrimSuffix(e.buf.Bytes(), []byte("\n")))
	}
}

// isParted reports whether t is written and read member by member: a struct that does not do it in its own way.
func isParted(t reflect.Type) bool {
	if t.Kind() != reflect.Struct {
		return false
	}
	p := reflect.PointerTo(t)
	return !p.Implements(reflect.TypeFor[json.Marshaler]()) && !p.Implements(reflect.TypeFor[encoding.TextMarshaler]())
}

// isList reports whether t is written and read element by element.
func isList(t reflect.Type) bool {
	return t.Kind() == reflect.Slice && t.Elem().Kind() == reflect.Struct
}

// field is a member of an object, by its struct's tags as encoding/json understands them. Of embedded structs the
// members count, as there: those of a Header.
type field struct {
	name  string
	index []int
	empty bool // is left out where it is empty
	zero  bool // is left out where it is the zero value, or says so itself
}

func fields(t reflect.Type) []field {
	out := make([]field, 0, t.NumField())
	for _, f := range reflect.VisibleFields(t) {
		name, options, _ := strings.Cut(f.Tag.Get("json"), ",")
		if f.Anonymous || !f.IsExported() || name == "-" {
			continue
		}
		if name == "" {
			name = f.Name
		}
		out = append(out, field{
			name: name, index: f.Index, empty: strings.Contains(options, "omitempty"), zero: strings.Contains(options, "omitzero"),
		})
	}
	return out
}

// omits reports whether a member is left out.
func (f field) omits(v reflect.Value) bool {
	if f.zero {
		if z, ok := v.Interface().(interface{ IsZero() bool }); ok {
			return z.IsZero()
		}
		return v.IsZero()
	}
	if !f.empty {
		return false
	}
	switch v.Kind() {
	case reflect.Slice, reflect.Map, reflect.String, reflect.Array:
		return v.Len() == 0
	case reflect.Struct:
		return false
	}
	return v.IsZero()
}

package document

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"reflect"
)

// sharer is an element of a list that takes over from the one before it what both have in common. Documents are sorted,
// so neighbours have much of it, and every string that is read otherwise takes memory of its own.
type sharer interface{ share(before any) }

// decode reads the next value of d into v, as json.Unmarshal would, but one element of a list at a time.
func decode(d *json.Decoder, v reflect.Value) error {
	switch {
	case isParted(v.Type()):
		members := map[string][]int{}
		for _, f := range fields(v.Type()) {
			members[f.name] = f.index
		}
		return eachMember(d, func(name string) error {
			if index, ok := members[name]; ok {
				return decode(d, v.FieldByIndex(index))
			}
			return skip(d)
		})
	case isList(v.Type()):
		v.SetZero()
		there, err := eachElement(d, func() error { return decodeNext(d, v) })
		if err == nil && there && v.IsNil() {
			v.Set(reflect.MakeSlice(v.Type(), 0, 0))
		}
		return err
	}
	return d.Decode(v.Addr().Interface())
}

// decodeNext appends an element to a list.
func decodeNext(d *json.Decoder, list reflect.Value) error {
	n := list.Len()
	if n == list.Cap() {
		list.Grow(max(16, n)) // twice as much, which makes less garbage than append does
	}
	list.SetLen(n + 1)
	list.Index(n).SetZero()
	next := list.Index(n).Addr().Interface()
	err := d.Decode(next)
	if s, ok := next.(sharer); ok && n > 0 && err == nil {
		s.share(list.Index(n - 1).Addr().Interface())
	}
	return err
}

// eachMember calls f for each member of the object that comes next; f must read its value. Null has no members.
func eachMember(d *json.Decoder, f func(name string) error) error {
	there, err := begins(d, '{', "an object")
	if err != nil || !there {
		return err
	}
	for d.More() {
		name, err := d.Token()
		if err != nil {
			return err
		}
		if err := f(fmt.Sprint(name)); err != nil {
			return err
		}
	}
	_, err = d.Token()
	return err
}

// eachElement calls f for each element of the list that comes next; f must read it. Null is no list.
func eachElement(d *json.Decoder, f func() error) (there bool, err error) {
	there, err = begins(d, '[', "a list")
	if err != nil || !there {
		return there, err
	}
	for d.More() {
		if err := f(); err != nil {
			return true, err
		}
	}
	_, err = d.Token()
	return true, err
}

// begins reads how an object or a list begins. Instead of it there may be null.
func begins(d *json.Decoder, want json.Delim, what string) (bool, error) {
	switch token, err := d.Token(); {
	case err != nil || token == nil:
		return false, err
	case token != want:
		return false, fmt.Errorf("%v stands where %s should be", token, what)
	}
	return true, nil
}

// only calls f for the member of that name, and passes over the others.
func only(d *json.Decoder, name string, f func() error) error {
	return eachMember(d, func(at string) error {
		if at == name {
			return f()
		}
		return skip(d)
	})
}

func skip(d *json.Decoder) error {
	var ignored json.RawMessage
	return d.Decode(&ignored)
}

// ends checks that nothing follows.
func ends(d *json.Decoder) error {
	if _, err := d.Token(); !errors.Is(err, io.EOF) {
		return errors.New("something follows the end of the document")
	}
	return nil
}

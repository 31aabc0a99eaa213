package lifecycle

import (
	"bytes"
	"cmp"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"slices"
	"strings"
	"unicode/utf8"
)

// object is a JSON object that is not decoded further. Names are compared to the letter, which encoding/json does not.
type object map[string]json.RawMessage

// Parse reads a policy document. It fails where the text is no policy at all; what it does not understand of one is a
// Problem of a rule or of the policy.
func Parse(text string) (Policy, error) {
	if n := utf8.RuneCountInString(text); n > MaxText {
		return Policy{}, fmt.Errorf("the lifecycle policy has %d characters, and ECR takes no more than %d: read the settings again", n, MaxText)
	}
	top, err := readObject([]byte(text))
	if err != nil {
		return Policy{}, fmt.Errorf("the lifecycle policy cannot be read: %w", err)
	}
	var raw []json.RawMessage
	if err := json.Unmarshal(top["rules"], &raw); err != nil || len(raw) == 0 {
		return Policy{}, errors.New(`the lifecycle policy cannot be read: it has no list of "rules"`)
	}
	var p Policy
	for _, name := range unknown(top, "rules") {
		p.Problems = append(p.Problems, fmt.Sprintf("It has a field %q, which is not known.", name))
	}
	for _, text := range raw {
		p.Rules = append(p.Rules, parseRule(text))
	}
	slices.SortStableFunc(p.Rules, func(a, b Rule) int { return cmp.Compare(a.Priority, b.Priority) })
	p.Problems = append(p.Problems, orderProblems(p.Rules)...)
	markTwins(p.Rules)
	return p, nil
}

// readObject reads exactly one JSON object, in which no name stands twice.
func readObject(text []byte) (object, error) {
	d := json.NewDecoder(bytes.NewReader(text))
	if token, err := d.Token(); err != nil || token != json.Delim('{') {
		return nil, errors.New("it is no JSON object")
	}
	o := object{}
	for d.More() {
		token, err := d.Token()
		if err != nil {
			return nil, fmt.Errorf("it is no JSON object: %w", err)
		}
		name, _ := token.(string) // in an object, nothing else stands there
		if _, twice := o[name]; twice {
			return nil, fmt.Errorf("it has two fields %q", name)
		}
		var value json.RawMessage
		if err := d.Decode(&value); err != nil {
			return nil, fmt.Errorf("it is no JSON object: %w", err)
		}
		o[name] = value
	}
	if _, err := d.Token(); err != nil {
		return nil, fmt.Errorf("it is no JSON object: %w", err)
	}
	if _, err := d.Token(); !errors.Is(err, io.EOF) {
		return nil, errors.New("it is no JSON object alone: something stands behind it")
	}
	return o, nil
}

// unknown is the names in o that are not known, sorted.
func unknown(o object, known ...string) []string {
	names := slices.Sorted(maps.Keys(o))
	return slices.DeleteFunc(names, func(n string) bool { return slices.Contains(known, n) })
}

// orderProblems says why the rules, which are sorted, have no clear order. FACTS C1 [D].
func orderProblems(rules []Rule) []string {
	var out []string
	if len(rules) > MaxRules {
		out = append(out, fmt.Sprintf("It has %d rules, and ECR takes no more than %d.", len(rules), MaxRules))
	}
	for i, r := range rules {
		switch {
		case r.Priority <= 0:
			out = append(out, "A rule has no priority that is a positive number.")
		case i > 0 && rules[i-1].Priority == r.Priority:
			out = append(out, fmt.Sprintf("Two rules have the priority %d.", r.Priority))
		}
		behind := func(o Rule) bool { return o.Archive == r.Archive }
		if r.TagStatus == Any && !r.Blind && slices.ContainsFunc(rules[i+1:], behind) {
			out = append(out, fmt.Sprintf(`Rule %d selects any image and is not the last one.`, r.Priority))
		}
	}
	return slices.Compact(out)
}

// markTwins gives a problem to each rule that selects the same as one before it, which ECR does not allow. FACTS C1 [D].
func markTwins(rules []Rule) {
	first := map[string]int{}
	for i := range rules {
		r := &rules[i]
		if r.Blind {
			continue
		}
		patterns := slices.Sorted(slices.Values(r.Patterns))
		key := fmt.Sprint(r.Archive, r.TagStatus, patterns)
		if before, ok := first[key]; !ok {
			first[key] = r.Priority
		} else if r.Problem == "" {
			r.Problem = fmt.Sprintf("It selects the same images as rule %d, which ECR does not allow.", before)
		}
	}
}

// fields reads the fields of one JSON object and remembers the first that is wrong.
type fields struct {
	object
	problem string
}

func (f *fields) wrong(format string, a ...any) {
	if f.problem == "" {
		f.problem = fmt.Sprintf(format, a...)
	}
}

// part reads the object in a field.
func (f *fields) part(name string) fields {
	o, err := readObject(f.object[name])
	if err != nil {
		f.wrong("Its %q cannot be read: %v.", name, err)
	}
	return fields{object: o}
}

// word reads a text; it is empty where the field is missing.
func (f *fields) word(name string) string {
	raw, ok := f.object[name]
	var s *string
	if ok && (json.Unmarshal(raw, &s) != nil || s == nil) {
		f.wrong("Its %q is no text.", name)
	}
	if s == nil {
		return ""
	}
	return *s
}

// number reads a whole number from 1 that 32 bits hold; anything else is 0 and a problem.
func (f *fields) number(name string) int {
	var n int32
	if raw, ok := f.object[name]; !ok || json.Unmarshal(raw, &n) != nil || n < 1 {
		f.wrong("Its %q is no positive whole number.", name)
		return 0
	}
	return int(n)
}

// words reads a list of texts that are not empty; nil where the field is missing.
func (f *fields) words(name string) []string {
	raw, ok := f.object[name]
	if !ok {
		return nil
	}
	list := []string{}
	if json.Unmarshal(raw, &list) != nil || len(list) == 0 || slices.Contains(list, "") {
		f.wrong("Its %q is no list of texts.", name)
	}
	return list
}

// oneOf reads a text that must be one of those known.
func (f *fields) oneOf(name string, known ...string) string {
	s := f.word(name)
	if f.problem == "" && !slices.Contains(known, s) {
		f.wrong("Its %q is %q; known are %s.", name, s, strings.Join(known, ", "))
	}
	return s
}

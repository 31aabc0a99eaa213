package layout

import (
	"cmp"
	"encoding/json"
	"errors"
	"io"
	"slices"
	"strconv"
	"strings"
	"unicode/utf8"
)

// CanonicalLifecycle returns a text that is equal for lifecycle policies that mean the same: without white space and
// descriptions, the rules in the order of their priorities and without them, lists of tags sorted (an image needs all of
// a list: FACTS C1 [D]). It is empty for an empty text. A text that is no lifecycle policy with a priority for each rule
// is only equal to itself.
func CanonicalLifecycle(text string) string {
	return canonical(text, lifecycle)
}

// CanonicalPolicy returns a text that is equal for IAM policies that mean the same: without white space, ids of the policy and
// of statements; statements, actions, resources and principals sorted, single ones as lists, actions in lower case (AWS
// does not mind their case). It is empty for an empty text. A text that is no policy is only equal to itself.
func CanonicalPolicy(text string) string {
	return canonical(text, policy)
}

// verbatim marks a text that could not be understood. No canonical text begins with it.
const verbatim = "text:"

func canonical(text string, normalise func(map[string]any) error) string {
	trimmed := strings.TrimSpace(text)
	if trimmed == "" {
		return ""
	}
	v, err := parse(trimmed)
	if err != nil {
		return verbatim + text
	}
	object, ok := v.(map[string]any)
	if !ok || normalise(object) != nil {
		return verbatim + text
	}
	b, err := json.Marshal(object)
	// What was no text in its encoding has become one and the same character.
	if err != nil || strings.ContainsRune(string(b), utf8.RuneError) {
		return verbatim + text
	}
	return string(b)
}

var errShape = errors.New("not the shape that was expected")

func lifecycle(object map[string]any) error {
	list, ok := object["rules"].([]any)
	if !ok {
		return errShape
	}
	type ranked struct {
		priority int64
		rule     any
	}
	rules := make([]ranked, 0, len(list))
	for _, entry := range list {
		rule, ok := entry.(map[string]any)
		if !ok {
			return errShape
		}
		number, _ := rule["rulePriority"].(json.Number)
		priority, err := strconv.ParseInt(number.String(), 10, 64)
		if err != nil {
			return err
		}
		delete(rule, "rulePriority")
		delete(rule, "description")
		if selection, ok := rule["selection"].(map[string]any); ok {
			for _, key := range []string{"tagPrefixList", "tagPatternList"} {
				if values, ok := sortedTexts(selection[key]); ok {
					selection[key] = values
				}
			}
		}
		rules = append(rules, ranked{priority, rule})
	}
	slices.SortStableFunc(rules, func(a, b ranked) int { return cmp.Compare(a.priority, b.priority) })
	for i, r := range rules {
		if i > 0 && rules[i-1].priority == r.priority {
			return errShape // which goes first is not for us to say
		}
		list[i] = r.rule
	}
	return nil
}

func policy(object map[string]any) error {
	delete(object, "Id")
	statements := asList(object["Statement"])
	if statements == nil {
		return errShape
	}
	type encoded struct {
		text string
		json.RawMessage
	}
	sorted := make([]encoded, 0, len(statements))
	for _, entry := range statements {
		s, ok := entry.(map[string]any)
		if !ok {
			return errShape
		}
		statement(s)
		b, err := json.Marshal(s)
		if err != nil {
			return err
		}
		sorted = append(sorted, encoded{string(b), b})
	}
	slices.SortFunc(sorted, func(a, b encoded) int { return strings.Compare(a.text, b.text) })
	sorted = slices.CompactFunc(sorted, func(a, b encoded) bool { return a.text == b.text })
	out := make([]any, 0, len(sorted))
	for _, s := range sorted {
		out = append(out, s.RawMessage)
	}
	object["Statement"] = out
	return nil
}

// statement brings one statement of an IAM policy into its canonical form. Conditions stay as they are.
func statement(s map[string]any) {
	delete(s, "Sid")
	for _, key := range []string{"Action", "NotAction", "Resource", "NotResource"} {
		values, ok := sortedTexts(s[key])
		if !ok {
			continue
		}
		if strings.HasSuffix(key, "Action") {
			for i := range values {
				values[i] = strings.ToLower(values[i])
			}
			slices.Sort(values)
			values = slices.Compact(values)
		}
		s[key] = values
	}
	for _, key := range []string{"Principal", "NotPrincipal"} {
		if kinds, ok := s[key].(map[string]any); ok {
			for kind, v := range kinds {
				if values, ok := sortedTexts(v); ok {
					kinds[kind] = values
				}
			}
		}
	}
}

// asList is v where it is a list, a list of v where it is an object, and nil for anything else.
func asList(v any) []any {
	switch v := v.(type) {
	case []any:
		return v
	case map[string]any:
		return []any{v}
	}
	return nil
}

// sortedTexts returns a text, or a list of nothing but texts, as a sorted list in which each is once.
func sortedTexts(v any) ([]string, bool) {
	if s, ok := v.(string); ok {
		return []string{s}, true
	}
	list, ok := v.([]any)
	if !ok {
		return nil, false
	}
	out := make([]string, 0, len(list))
	for _, entry := range list {
		s, ok := entry.(string)
		if !ok {
			return nil, false
		}
		out = append(out, s)
	}
	slices.Sort(out)
	return slices.Compact(out), true
}

// maxDepth is how deeply objects and lists may be nested: a policy needs five.
const maxDepth = 64

// parse reads one JSON value, its numbers as they are written. A key that an object has twice is an error: readers
// differ in which one counts.
func parse(text string) (any, error) {
	d := json.NewDecoder(strings.NewReader(text))
	d.UseNumber()
	v, err := value(d, maxDepth)
	if err != nil {
		return nil, err
	}
	if _, err := d.Token(); !errors.Is(err, io.EOF) {
		return nil, errShape
	}
	return v, nil
}

func value(d *json.Decoder, depth int) (any, error) {
	t, err := d.Token()
	if err != nil {
		return nil, err
	}
	delim, ok := t.(json.Delim)
	if !ok {
		return t, nil
	}
	if depth == 0 {
		return nil, errShape
	}
	object, list := map[string]any{}, []any{}
	for d.More() {
		var key string
		if delim == '{' {
			t, err := d.Token()
			if err != nil {
				return nil, err
			}
			key, _ = t.(string)
			if _, twice := object[key]; twice {
				return nil, errShape
			}
		}
		v, err := value(d, depth-1)
		if err != nil {
			return nil, err
		}
		if delim == '{' {
			object[key] = v
		} else {
			list = append(list, v)
		}
	}
	if _, err := d.Token(); err != nil { // the end
		return nil, err
	}
	if delim == '{' {
		return object, nil
	}
	return list, nil
}

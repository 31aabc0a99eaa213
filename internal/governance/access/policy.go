package access

import (
	"fmt"
	"slices"
	"strings"
)

// Policy is an IAM policy of AWS as it stands on a repository or a registry of ECR.
type Policy struct {
	Statements []Statement
}

// Statement allows something to somebody, or denies it.
type Statement struct {
	Sid           string // empty where it has none
	Allow         bool   // else it denies
	Principals    []Principal
	NotPrincipals bool     // all but the Principals
	Actions       []string // as they are written, with wildcards
	NotActions    bool     // all but the Actions
	Resources     []string // none: the repository or registry that the policy belongs to
	NotResources  bool     // all but the Resources
	Condition     string   // compact JSON; empty where it holds always
	tls           bool     // the condition is exactly that the connection has no TLS
}

// ParsePolicy reads a policy. Whatever it does not know for certain is an error, which says what: an element, a version
// or an effect that AWS may have by then, a key that is there twice. Element names are read as AWS writes them.
func ParsePolicy(text string) (Policy, error) {
	root, err := parseJSON(text)
	if err != nil {
		return Policy{}, err
	}
	if root.kind != isObject {
		return Policy{}, fmt.Errorf("it is %s, not an object", root.kind)
	}
	var p Policy
	found := false
	for i, key := range root.keys {
		switch value := root.items[i]; key {
		case "Version":
			if value.text != "2012-10-17" && value.text != "2008-10-17" {
				return Policy{}, fmt.Errorf("its Version is %s; 2012-10-17 and 2008-10-17 are known", short(value.String()))
			}
		case "Id":
			if value.kind != isString {
				return Policy{}, fmt.Errorf("its Id is %s, not a text", value.kind)
			}
		case "Statement":
			found = true
			if p.Statements, err = statements(value); err != nil {
				return Policy{}, err
			}
		default:
			return Policy{}, fmt.Errorf("it has an unknown element %q (known: Version, Id, Statement)", short(key))
		}
	}
	if !found {
		return Policy{}, fmt.Errorf("it has no Statement")
	}
	return p, nil
}

func statements(n node) ([]Statement, error) {
	items := n.items
	if n.kind == isObject {
		items = []node{n}
	} else if n.kind != isList {
		return nil, fmt.Errorf("its Statement is %s, not a list", n.kind)
	}
	out := make([]Statement, 0, len(items))
	sids := map[string]bool{}
	for i, item := range items {
		s, err := statement(item)
		if err == nil && s.Sid != "" && sids[s.Sid] {
			err = fmt.Errorf("its Sid %q is there twice", short(s.Sid))
		}
		if err != nil {
			return nil, fmt.Errorf("statement %d: %w", i+1, err)
		}
		sids[s.Sid] = true
		out = append(out, s)
	}
	return out, nil
}

func statement(n node) (Statement, error) {
	if n.kind != isObject {
		return Statement{}, fmt.Errorf("it is %s, not an object", n.kind)
	}
	var s Statement
	for i, key := range n.keys {
		if err := s.element(key, n.items[i]); err != nil {
			return Statement{}, err
		}
	}
	for _, need := range [][2]string{{"Effect", ""}, {"Principal", "NotPrincipal"}, {"Action", "NotAction"}, {"Resource", "NotResource"}} {
		one, other := slices.Contains(n.keys, need[0]), slices.Contains(n.keys, need[1])
		if one && other {
			return Statement{}, fmt.Errorf("it has both %s and %s", need[0], need[1])
		}
		if !one && !other && need[0] != "Resource" {
			return Statement{}, fmt.Errorf("it has no %s", need[0])
		}
	}
	return s, nil
}

// element reads one element of a statement into s.
func (s *Statement) element(key string, value node) (err error) {
	switch key {
	case "Sid":
		if value.kind != isString {
			return fmt.Errorf("its Sid is %s, not a text", value.kind)
		}
		s.Sid = value.text
	case "Effect":
		if value.kind != isString || value.text != "Allow" && value.text != "Deny" {
			return fmt.Errorf("its Effect is %s; Allow and Deny are known", short(value.String()))
		}
		s.Allow = value.text == "Allow"
	case "Principal", "NotPrincipal":
		s.NotPrincipals = key == "NotPrincipal"
		s.Principals, err = principals(key, value)
	case "Action", "NotAction":
		s.NotActions = key == "NotAction"
		s.Actions, err = value.strings(key)
	case "Resource", "NotResource":
		s.NotResources = key == "NotResource"
		s.Resources, err = value.strings(key)
	case "Condition":
		s.Condition, err = condition(value)
		s.tls = withoutTLS(value)
	default:
		return fmt.Errorf("it has an unknown element %q", short(key))
	}
	return err
}

// principals reads who a statement is about.
func principals(key string, n node) ([]Principal, error) {
	if n.kind == isString && n.text == "*" {
		return []Principal{{Kind: Everyone, ID: "*"}}, nil
	}
	if n.kind != isObject {
		return nil, fmt.Errorf("its %s is %s; \"*\" and an object are known", key, short(n.String()))
	}
	if len(n.keys) == 0 {
		return nil, fmt.Errorf("its %s is empty", key)
	}
	var out []Principal
	for i, kind := range n.keys {
		texts, err := n.items[i].strings(key + "." + short(kind))
		if err != nil {
			return nil, err
		}
		for _, text := range texts {
			p, err := parsePrincipal(kind, text)
			if err != nil {
				return nil, fmt.Errorf("its %s: %w", key, err)
			}
			if !slices.Contains(out, p) {
				out = append(out, p)
			}
		}
	}
	return out, nil
}

// condition sees that n has the form of conditions: operators, each with keys, each with values. What they mean is
// nobody's guess.
func condition(n node) (string, error) {
	if n.kind != isObject {
		return "", fmt.Errorf("its Condition is %s, not an object", n.kind)
	}
	for i, operator := range n.items {
		if operator.kind != isObject {
			return "", fmt.Errorf("its Condition %q is %s, not an object", short(n.keys[i]), operator.kind)
		}
		for j, value := range operator.items {
			values := value.items
			if value.kind != isList {
				values = []node{value}
			}
			if len(values) == 0 || slices.ContainsFunc(values, func(v node) bool { return v.kind != isString && v.kind != isNumber && v.kind != isBool }) {
				return "", fmt.Errorf("its Condition on %q has the value %s", short(operator.keys[j]), short(value.String()))
			}
		}
	}
	return n.String(), nil
}

// withoutTLS reports whether a condition says that the connection has no TLS, and nothing else.
func withoutTLS(n node) bool {
	if len(n.keys) != 1 || !strings.EqualFold(n.keys[0], "Bool") || n.items[0].kind != isObject {
		return false
	}
	test := n.items[0]
	if len(test.keys) != 1 || !strings.EqualFold(test.keys[0], "aws:SecureTransport") {
		return false
	}
	value := test.items[0]
	return (value.kind == isBool || value.kind == isString) && strings.EqualFold(value.text, "false")
}

// plain reports whether a statement says what it says of exactly its principals, actions and resources, always.
func (s Statement) plain() bool {
	return s.Condition == "" && !s.NotPrincipals && !s.NotActions && !s.NotResources
}

// covers reports whether a statement is about the resource, which a policy without a Resource is.
func (s Statement) covers(arn string) bool {
	if len(s.Resources) == 0 {
		return true
	}
	return slices.ContainsFunc(s.Resources, func(pattern string) bool { return wild(pattern, arn) }) != s.NotResources
}

// wild reports whether s matches a pattern of IAM as a whole: * stands for anything, ? for one character.
func wild(pattern, s string) bool {
	p, i, star, mark := 0, 0, -1, 0
	for i < len(s) {
		switch {
		case p < len(pattern) && pattern[p] == '*':
			star, mark = p, i
			p++
		case p < len(pattern) && (pattern[p] == '?' || pattern[p] == s[i]):
			p++
			i++
		case star >= 0:
			mark++
			p, i = star+1, mark
		default:
			return false
		}
	}
	return strings.Trim(pattern[p:], "*") == ""
}

package ecrsim

import (
	"encoding/base64"
	"strings"
)

// paging is the part of an input that asks for a page.
type paging struct {
	NextToken  string `json:"nextToken"`
	MaxResults *int   `json:"maxResults"`
}

// limit returns the page size: standard unless asked for, an error when it is not within 1 to most.
func (p paging) limit(standard, most int) (int, error) {
	switch {
	case p.MaxResults == nil:
		return standard, nil
	case *p.MaxResults < 1:
		return 0, invalidf("maxResults", "Member must have value greater than or equal to 1")
	case *p.MaxResults > most:
		return 0, invalidf("maxResults", "Member must have value less than or equal to %d", most)
	}
	return *p.MaxResults, nil
}

// tokenMark begins every token, so that strangers are recognised.
const tokenMark = "transship-page:"

func encodeToken(last string) string {
	return base64.StdEncoding.EncodeToString([]byte(tokenMark + last))
}

func decodeToken(s string) (last string, err error) {
	if s == "" {
		return "", nil
	}
	raw, err := base64.StdEncoding.DecodeString(s)
	last, ok := strings.CutPrefix(string(raw), tokenMark)
	if err != nil || !ok {
		return "", invalidf("nextToken", "Member must be a token of a previous call")
	}
	return last, nil
}

// page cuts one page from items, which are sorted by key. keep filters: before the cut, or, with sparse, after it, as
// DynamoDB-backed services do, so that a page may be short although there are more. next is "" after the last page.
func page[T any](items []T, p paging, standard, most int, key func(T) string, keep func(T) bool, sparse bool) (out []T, next string, err error) {
	limit, err := p.limit(standard, most)
	if err != nil {
		return nil, "", err
	}
	last, err := decodeToken(p.NextToken)
	if err != nil {
		return nil, "", err
	}
	out = []T{}
	taken, lastKey := 0, ""
	for _, item := range items {
		k := key(item)
		if p.NextToken != "" && k <= last {
			continue
		}
		kept := keep == nil || keep(item)
		if !kept && !sparse {
			continue
		}
		if taken == limit {
			return out, encodeToken(lastKey), nil
		}
		taken++
		lastKey = k
		if kept {
			out = append(out, item)
		}
	}
	return out, "", nil
}

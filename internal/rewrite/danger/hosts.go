package danger

import (
	"bytes"
	"regexp"
	"slices"

	"transship/internal/ref"
	"transship/internal/rewrite/mention"
)

var (
	// hostTail is a host behind its account, whether or not a registry has that name.
	hostTail   = regexp.MustCompile(`^\.dkr[.-]ecr(?:-fips)?\.[a-z]{2,4}(?:-[a-z]+)+-[0-9]+\.[a-z0-9]+(?:[.-][a-z0-9]+)*`)
	hostMiddle = regexp.MustCompile(anyHost)
	literalARN = regexp.MustCompile(`\barn:[a-z-]+:ecr:([a-z0-9-]+):([0-9]{12}):`)
)

// account is how many digits the number of an account has.
const account = 12

// literalHosts are the hosts in b without a variable, in order. In JSON a line end may be before one.
func literalHosts(b []byte) (all []mention.Span) {
	for from := 0; ; {
		i := bytes.Index(b[from:], []byte(".dkr"))
		if i < 0 {
			return all
		}
		dot := from + i
		from = dot + len(".dkr")
		start := dot - account
		if start < 0 || len(all) > 0 && start < all[len(all)-1].End || !digits(b[start:dot]) ||
			start > 0 && isWord(b[start-1]) && (start < 2 || b[start-2] != '\\' || bytes.IndexByte([]byte("nrt"), b[start-1]) < 0) {
			continue
		}
		if m := hostTail.FindIndex(b[dot:]); m != nil {
			from = dot + m[1]
			all = append(all, mention.Span{Start: start, End: from})
		}
	}
}

// otherLength reports whether the host with its middle at b[middle:] has an account that is a number of another length than
// accounts have.
func otherLength(b []byte, middle int) bool {
	start := middle - 1
	if start < 0 || b[start] != '.' {
		return false
	}
	for start > 0 && '0' <= b[start-1] && b[start-1] <= '9' {
		start--
	}
	n := middle - 1 - start
	return n > 0 && n != account && (start == 0 || bytes.IndexByte([]byte(" \t\"'`=:/@(,["), b[start-1]) >= 0) && oddTail.Match(b[middle-1:])
}

// oddTail is what makes a host, as far as its account goes, a whole one.
var oddTail = regexp.MustCompile(`^\.dkr[.-]ecr(?:-fips)?\.[a-z]{2,4}(?:-[a-z]+)+-[0-9]+\.`)

func digits(b []byte) bool {
	for _, c := range b {
		if c < '0' || c > '9' {
			return false
		}
	}
	return true
}

// variableHost returns where a host of ECR is of which not every part is literal.
func variableHost(b []byte) (mention.Span, bool) {
	literal := literalHosts(b)
	for _, m := range hostMiddle.FindAllIndex(b, -1) {
		if !otherLength(b, m[0]) && !slices.ContainsFunc(literal, func(l mention.Span) bool { return l.Start <= m[0] && m[1] <= l.End }) {
			return mention.Span{Start: m[0], End: m[1]}, true
		}
	}
	return mention.Span{}, false
}

// foreign reports whether a text names registries, and only such that are no part of the migration.
func (j *judge) foreign(b []byte) bool {
	hosts := literalHosts(b)
	var arns [][][]byte
	if bytes.Contains(b, []byte("arn:")) {
		arns = literalARN.FindAllSubmatch(b, -1)
	}
	if len(hosts)+len(arns) == 0 {
		return false
	}
	for _, h := range hosts {
		if j.isSource(b[h.Start:h.End]) {
			return false
		}
	}
	for _, a := range arns {
		if slices.Contains(j.sources, ref.Registry{Account: string(a[2]), Region: string(a[1])}) {
			return false
		}
	}
	_, variable := variableHost(b)
	return !variable
}

// isSource reports whether a host, which may be followed by a dot, is one of the migration.
func (j *judge) isSource(host []byte) bool {
	r, _, err := ref.ParseRegistry(string(host))
	return err == nil && slices.Contains(j.sources, r)
}

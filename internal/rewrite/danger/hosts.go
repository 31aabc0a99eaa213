package danger

import (
	"regexp"
	"slices"

	"transship/internal/ref"
	"transship/internal/rewrite/mention"
)

var (
	// literalHost is a host without a variable, whether or not a registry has that name. In JSON a line end may be before it.
	literalHost = regexp.MustCompile(`(?:\\[nrt]|\b)([0-9]{12}\.dkr[.-]ecr(?:-fips)?\.[a-z]{2,4}(?:-[a-z]+)+-[0-9]+\.[a-z0-9]+(?:[.-][a-z0-9]+)*)`)
	hostMiddle  = regexp.MustCompile(anyHost)
	literalARN  = regexp.MustCompile(`\barn:[a-z-]+:ecr:([a-z0-9-]+):([0-9]{12}):`)
)

// variableHost returns where a host of ECR is of which not every part is literal.
func variableHost(b []byte) (mention.Span, bool) {
	literal := literalHost.FindAllIndex(b, -1)
	for _, m := range hostMiddle.FindAllIndex(b, -1) {
		if !slices.ContainsFunc(literal, func(l []int) bool { return l[0] <= m[0] && m[1] <= l[1] }) {
			return mention.Span{Start: m[0], End: m[1]}, true
		}
	}
	return mention.Span{}, false
}

// foreign reports whether a text names registries, and only such that are no part of the migration.
func (j *judge) foreign(b []byte) bool {
	hosts, arns := literalHost.FindAllSubmatch(b, -1), literalARN.FindAllSubmatch(b, -1)
	if len(hosts)+len(arns) == 0 {
		return false
	}
	for _, h := range hosts {
		if j.isSource(h[1]) {
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

package structure

import (
	"fmt"
	"path"
	"regexp"
	"strings"

	"transship/internal/references"
	"transship/internal/rewrite/mention"
)

// chartUse is a chart that is named beside the prefix that it is under.
type chartUse struct {
	name    string // of the chart, perhaps with a path before it
	version string // as it is written; may be a range
}

var exactVersion = regexp.MustCompile(`^v?\d+\.\d+\.\d+([-+][0-9A-Za-z.+-]+)?$`)

// tag is the tag that Helm gives a chart of the version; empty where that is a range, or says nothing.
func (c chartUse) tag() string {
	if !exactVersion.MatchString(c.version) {
		return ""
	}
	return strings.ReplaceAll(c.version, "+", "_") // Helm's own replacement: a tag has no plus sign
}

// chartFields are the keys of a prefix, of a chart's name, and of its version, as tools have them beside each other.
var chartFields = []struct {
	prefix, name string
	oci          bool // the prefix must say that it is one of OCI
}{
	{"repoURL", "chart", false},                     // Argo CD
	{"repository", "chart", true},                   // Terraform's helm_release
	{"repo", "chart", true}, {"repo", "name", true}, // Fleet; helmCharts of Kustomize
	{"repository", "name", true}, // dependencies of Chart.yaml
	{"repoURL", "name", true},    // Kargo
	{"chart_repo", "chart_name", true}, {"chartRepository", "chartName", true}, {"helmRepository", "chart", true}, {"registryURL", "chart", true},
}

// chart rewrites the prefix of a chart whose name is beside it.
func (j *judge) chart(m *node) {
	for _, k := range chartFields {
		prefix, name := m.get(k.prefix), m.get(k.name)
		if prefix == nil || name == nil || prefix.kind != scalar || name.kind != scalar {
			continue
		}
		p, ok := j.hosts.place(prefix.text)
		if !ok || k.oci && p.scheme != "oci://" || name.text == "" || k.name == "name" && j.isWhole(p, name.text) {
			continue
		}
		version := m.word("version", "targetRevision", "chartVersion", "chart_version")
		j.prefix(prefix, p, []chartUse{{name.text, version}}, 0)
		return
	}
}

// isWhole reports whether what may be a prefix is the repository itself, beside a name of something else. Helm's own files have
// prefixes only.
func (j *judge) isWhole(p place, name string) bool {
	if base := path.Base(j.file.Path); p.path == "" || base == "Chart.yaml" || base == "requirements.yaml" {
		return false
	}
	whole := references.Name{Repository: p.registry.Repository(p.path)}
	n, size := j.name(p, name)
	return j.oracle.Ask(whole).Verdict == mention.Proved && (size == 0 || j.oracle.Ask(n).Verdict == mention.NotMoved)
}

// prefix rewrites a prefix, where all charts that are taken from it are proved and move alike.
func (j *judge) prefix(n *node, p place, charts []chartUse, group int) {
	if j.isTold(n) {
		return
	}
	j.tell(n)
	to, of, a, why, kind := j.moved(p, charts)
	if why == "" && n.span.Start == n.span.End {
		why, kind = "The prefix of the charts is not written to the letter.", mention.SplitUnknown
	}
	if why == "" {
		j.edit(n.part(p.part), to, of, a, group)
		return
	}
	j.keep(n.span)
	do := "Replace the prefix by hand when all charts below it have arrived."
	if kind == mention.Unproved {
		do = "Copy and verify the chart, then run transship rewrite again."
	}
	j.find(n.where(), kind, why, do)
}

// moved is where a prefix moves with its charts, or why that is not known.
func (j *judge) moved(p place, charts []chartUse) (to string, of references.Name, a mention.Answer, why string, kind mention.Kind) {
	for _, c := range charts {
		n, size := j.name(p, c.name)
		if size != len(c.name) || size == 0 {
			why = fmt.Sprintf("The chart beside the prefix is not known: %s.", clean(c.name))
			return to, of, a, why, mention.SplitUnknown
		}
		n.Tag = c.tag()
		a = j.oracle.Ask(n)
		if a.Verdict != mention.Proved {
			why = a.Why
			if why == "" {
				why = "verify did not prove that it arrived"
			}
			return to, n, a, fmt.Sprintf("The chart is %s: %s", n, sentence(why)), mention.Unproved
		}
		prefix, ok := strings.CutSuffix(a.Target.String(), "/"+c.name)
		if !ok || to != "" && to != prefix {
			return to, of, a, fmt.Sprintf("The chart %s moves to %s, so that its prefix and its name both change.", n, a.Target), mention.SplitUnknown
		}
		to, of = prefix, n
	}
	if to == "" {
		why = "It is only the prefix of charts, and no chart of it is named beside it."
		return to, of, a, why, mention.SplitUnknown
	}
	return to, of, a, "", ""
}

package danger

import (
	"regexp"
	"strings"

	"transship/internal/ref"
	"transship/internal/references"
)

// advice is what the sentences of the rules say of this migration. In them stands
//
//	{host}     the target's host, such as us-docker.pkg.dev
//	{target}   where images go: HOST/PROJECT/REPOSITORY
//	{pattern}  the pattern of an allow-list that lets in at the target what one in the stretch lets in at the source
//	{escaped}  {target}/ as a regular expression begins with it
//	{ref}      where the first reference in the stretch would be at the target
type advice struct {
	j            *judge
	host, target string
}

// advise finds out where the migration goes: what is named in the file is asked for first.
func (j *judge) advise() *advice {
	if j.advice != nil {
		return j.advice
	}
	j.advice = &advice{j, "LOCATION-docker.pkg.dev", "LOCATION-docker.pkg.dev/PROJECT/REPOSITORY"}
	asked := 0
	for r := range j.finder.Find(j.file.Text) {
		if j.advice.take(j.oracle.Ask(r.Name).Target) {
			return j.advice
		}
		if asked++; asked == 8 {
			break
		}
	}
	for _, s := range j.sources {
		if j.advice.take(j.oracle.Ask(references.Name{Repository: s.Repository(probe)}).Target) {
			break
		}
	}
	return j.advice
}

// probe is the name of a repository that tells where a mapping puts what nobody thought of.
const probe = "xx"

func (a *advice) take(t ref.TargetImage) bool {
	if t.Repository == (ref.TargetRepository{}) {
		return false
	}
	a.host, a.target = t.Repository.Host(), t.Repository.String()
	return true
}

// say puts what stands for it into the place of what is in braces.
func (a *advice) say(sentence string, text []byte) string {
	if !strings.Contains(sentence, "{") {
		return sentence
	}
	pairs := []string{"{host}", a.host, "{target}", a.target, "{escaped}", a.escaped()}
	if strings.Contains(sentence, "{pattern}") {
		pairs = append(pairs, "{pattern}", a.pattern(text))
	}
	if strings.Contains(sentence, "{ref}") {
		pairs = append(pairs, "{ref}", a.reference(text))
	}
	return strings.NewReplacer(pairs...).Replace(sentence)
}

// escaped is the target as a regular expression begins with it.
func (a *advice) escaped() string { return strings.ReplaceAll(a.target, ".", `\.`) + "/" }

var escapedHost = regexp.MustCompile(escaped)

// allowed is a host with what an allow-list lets in of it.
var allowed = regexp.MustCompile(`([0-9]{12}\.dkr[.-]ecr(?:-fips)?\.[a-z0-9-]+\.[a-z0-9.-]+[a-z0-9])(/(?:[a-z0-9._-]+/)*)?([a-z0-9._-]*)(\*{0,2})`)

// pattern is what an allow-list must have beside what it has for the source.
func (a *advice) pattern(text []byte) string {
	m := allowed.FindSubmatch(text)
	if m == nil && escapedHost.Match(text) {
		return a.escaped() + ".*"
	} else if m == nil {
		return a.target + "/*"
	}
	r, _, err := ref.ParseRegistry(string(m[1]))
	if err != nil {
		return a.target + "/*"
	}
	folder, name, star := strings.TrimPrefix(string(m[2]), "/"), string(m[3]), string(m[4])
	if len(m[2]) == 0 {
		return a.target // the host alone lets in whatever is there
	}
	asked := name
	if len(asked) < 2 {
		asked = probe
	}
	t := a.j.oracle.Ask(references.Name{Repository: r.Repository(folder + asked)}).Target
	if t.Repository == (ref.TargetRepository{}) {
		return a.target + "/" + star
	}
	s := t.String()
	if rest, ok := strings.CutSuffix(s, "/"+asked); ok && asked != name {
		s = rest + "/" + name
	} else if !ok {
		s = t.Repository.String() + "/"
	}
	return s + star
}

// reference is where the first reference in a text would be at the target.
func (a *advice) reference(text []byte) string {
	for r := range a.j.finder.Find(text) {
		if t := a.j.oracle.Ask(r.Name).Target; t.Repository != (ref.TargetRepository{}) {
			return t.String()
		}
	}
	return a.target + "/NAME"
}

package plan

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	gocmp "github.com/google/go-cmp/cmp"
	"github.com/opencontainers/go-digest"
	"pgregory.net/rapid"

	"transship/internal/document"
	"transship/internal/ref"
)

// releases is a repository as teams keep them: three releases with two platforms each, a build that lost its tag, a
// signature of the second, a bill of materials of the first one's platform, and its signature.
func releases() *world {
	w := newWorld()
	app := virginia.Repository("app")
	w.repository(app)
	push := func(day int, name string, tags ...string) {
		i := w.image(app, name, tags...)
		i.PushedAt, i.LastPulledAt = at(day), at(20-day)
	}
	for n, tags := range [][]string{{"v1"}, {"v2", "git-2"}, {"v3", "latest"}} {
		for _, child := range []string{"amd", "arm"} {
			name := fmt.Sprint(child, n+1)
			w.manifest(name, name)
			push(10*n, name)
		}
		name := fmt.Sprint("r", n+1)
		w.index(name, fmt.Sprint("amd", n+1), fmt.Sprint("arm", n+1))
		push(10*n+1, name, tags...)
	}
	w.manifest("lost")
	push(15, "lost")
	w.manifest("sig2")
	push(30, "sig2", "sha256-"+hash("r2").Encoded()+".sig")
	w.manifest("sbom1")
	w.describe("sbom1", "amd1")
	push(31, "sbom1")
	w.manifest("notary1")
	w.describe("notary1", "sbom1")
	push(32, "notary1")
	return w
}

// has lists what a plan holds, by the names of the world: each manifest with its tags, those of signatures as "sig".
func has(p document.Plan, names ...string) string {
	name := map[digest.Digest]string{}
	for _, n := range names {
		name[hash(n)] = n
	}
	var out []string
	for _, image := range p.Images {
		for _, r := range image.References {
			var tags []string
			for _, tag := range r.Tags {
				if strings.HasPrefix(tag, "sha256-") {
					tag = "sig"
				}
				tags = append(tags, tag)
			}
			out = append(out, strings.TrimSuffix(name[r.Digest]+":"+strings.Join(tags, ","), ":"))
		}
	}
	slices.Sort(out)
	return strings.Join(out, " ")
}

var releaseNames = []string{"amd1", "arm1", "r1", "amd2", "arm2", "r2", "amd3", "arm3", "r3", "lost", "sig2", "sbom1", "notary1"}

const (
	first  = "amd1 arm1 notary1 r1:v1 sbom1"
	second = "amd2 arm2 r2:git-2,v2 sig2:sig"
	third  = "amd3 arm3 r3:latest,v3"
)

func TestSelection(t *testing.T) {
	join := func(parts ...string) string {
		words := strings.Fields(strings.Join(parts, " "))
		slices.Sort(words)
		return strings.Join(words, " ")
	}
	for name, test := range map[string]struct {
		selection Selection
		want      string
	}{
		"nothing":                         {Selection{}, join(first, second, third, "lost")},
		"a tag":                           {Selection{Tags: globs("v1")}, first},
		"tags":                            {Selection{Tags: globs("v1", "lat*")}, join(first, "amd3 arm3 r3:latest")},
		"a tag of several":                {Selection{Tags: globs("v*")}, join(first, "amd2 arm2 r2:v2 sig2:sig", "amd3 arm3 r3:v3")},
		"no such tag":                     {Selection{Tags: globs("x*")}, ""},
		"every tag":                       {Selection{Tags: globs("*")}, join(first, second, third)},
		"a signature's tag":               {Selection{Tags: globs("sha256-*")}, ""},
		"the newest":                      {Selection{Newest: 1}, third},
		"the two newest":                  {Selection{Newest: 2}, join(second, third)},
		"more than there are":             {Selection{Newest: 20}, join(first, second, third)},
		"the newest of a tag":             {Selection{Newest: 1, Tags: globs("v1", "v2")}, "amd2 arm2 r2:v2 sig2:sig"},
		"pushed since":                    {Selection{PushedSince: at(11)}, join(second, third, "lost")},
		"pushed since, with a tag":        {Selection{PushedSince: at(11), TaggedOnly: true}, join(second, third)},
		"pulled since":                    {Selection{PulledSince: at(19)}, first},
		"pulled since, only a child":      {Selection{PulledSince: at(20)}, first},
		"pulled never so late":            {Selection{PulledSince: at(21)}, ""},
		"the newest and the one before":   {Selection{Newest: 1, OlderVersions: 1}, join(third, "lost")},
		"the newest and the two before":   {Selection{Newest: 1, OlderVersions: 2}, join(third, second, "lost")},
		"a tag and the version before":    {Selection{Tags: globs("latest"), OlderVersions: 2}, join("amd3 arm3 r3:latest", second, "lost")},
		"the older ones that have a tag":  {Selection{Newest: 1, OlderVersions: 2, TaggedOnly: true}, join(third, second)},
		"nothing is older":                {Selection{Tags: globs("v1"), OlderVersions: 5}, first},
		"without referrers":               {Selection{WithoutReferrers: true}, "amd1 amd2 amd3 arm1 arm2 arm3 lost r1:v1 r2:git-2,v2 r3:latest,v3"},
		"tagged only":                     {Selection{TaggedOnly: true}, join(first, second, third)},
		"tagged only, without referrers":  {Selection{TaggedOnly: true, WithoutReferrers: true}, "amd1 amd2 amd3 arm1 arm2 arm3 r1:v1 r2:git-2,v2 r3:latest,v3"},
		"the first one without referrers": {Selection{Tags: globs("v1"), WithoutReferrers: true}, "amd1 arm1 r1:v1"},
	} {
		t.Run(name, func(t *testing.T) {
			w := releases()
			w.rules.Selection = test.selection
			p := w.plan()
			if diff := gocmp.Diff(test.want, has(p, releaseNames...)); diff != "" {
				t.Error(diff)
			}
			if diff := gocmp.Diff(test.selection.Document(), p.Scope.Selection); diff != "" {
				t.Errorf("the plan does not say what was selected: %s", diff)
			}
			for at, n := range fates(w, p) {
				if n != 1 {
					t.Errorf("%v is planned or refused %d times", at, n)
				}
			}
		})
	}
}

// rules counts the refusals of each rule.
func ruleCounts(p document.Plan) map[string]int {
	out := map[string]int{}
	for _, r := range p.Refused {
		out[r.Rule]++
	}
	return out
}

func TestWhatIsLeftOutSaysWhy(t *testing.T) {
	w := releases()
	w.rules.Selection = Selection{Tags: globs("v*"), TaggedOnly: true, WithoutReferrers: true}
	want := map[string]int{
		document.RuleNotSelected: 2, // the tags git-2 and latest of images that are taken
		document.RuleUntagged:    1,
		document.RuleReferrer:    4, // the signature by digest and by tag, the bill of materials and its signature
	}
	if diff := gocmp.Diff(want, ruleCounts(w.plan())); diff != "" {
		t.Error(diff)
	}
}

// A tie is decided by the digest, so that every run selects the same.
func TestTiesAreDecidedByDigest(t *testing.T) {
	w := newWorld()
	for n := range 10 {
		name := fmt.Sprint("i", n)
		w.manifest(name)
		w.image(virginia.Repository("app"), name, name).PushedAt = at(1)
	}
	w.rules.Selection = Selection{Newest: 3}
	var all []digest.Digest
	for n := range 10 {
		all = append(all, hash(fmt.Sprint("i", n)))
	}
	slices.Sort(all)
	var got []digest.Digest
	for _, r := range w.plan().Images[0].References {
		got = append(got, r.Digest)
	}
	if diff := gocmp.Diff(all[:3], got); diff != "" {
		t.Error(diff)
	}
}

// A repository that two regions replicate is chosen from once, and has what either selects.
func TestReplicasAreChosenFromOnce(t *testing.T) {
	w := newWorld()
	for n, r := range []ref.Registry{virginia, ireland} {
		for i := range 3 {
			name := fmt.Sprint("i", i)
			w.manifest(name)
			w.image(r.Repository("app"), name, fmt.Sprint("v", i)).PushedAt = at(10*i + n)
		}
	}
	w.rules.Selection = Selection{Newest: 1}
	p := w.plan()
	if got := has(p, "i0", "i1", "i2"); got != "i2:v2" || len(p.Images) != 1 || len(p.Images[0].Sources) != 2 {
		t.Errorf("planned %s: %+v", got, p.Images)
	}
}

// What comes along with an image that is refused stays behind with it.
func TestNothingComesAlongWithWhatIsRefused(t *testing.T) {
	w := releases()
	for n := range w.inv.Source.Images {
		if w.inv.Source.Images[n].Digest == hash("amd1") {
			w.inv.Source.Images[n].Status = document.StatusArchived
		}
	}
	w.rules.Selection = Selection{Tags: globs("v1")}
	p := w.plan()
	if got := has(p, releaseNames...); got != "" {
		t.Errorf("planned: %s", got)
	}
	if n := ruleCounts(p)[document.RuleIncomplete]; n != 2 {
		t.Errorf("%d refusals for what is incomplete, not for the image and its tag", n)
	}
}

// Pull-through caches are left, with the advice, unless they are asked for.
func TestPullThroughCaches(t *testing.T) {
	w := newWorld()
	hub := virginia.Repository("hub/library/nginx")
	w.repository(hub)
	w.inv.Source.Repositories[0].PullThrough = "registry-1.docker.io"
	w.manifest("nginx")
	w.image(hub, "nginx", "1.27")
	p := w.plan()
	if len(p.Images) != 0 || len(p.Refused) != 1 || p.Refused[0].Rule != document.RulePullThrough || p.Refused[0].Digest != "" ||
		!strings.Contains(p.Refused[0].Reason, "registry-1.docker.io") || !strings.Contains(p.Refused[0].Reason, "remote repository") {
		t.Errorf("%+v", p.Refused)
	}
	w.rules.Selection.PullThrough = true
	if p := w.plan(); len(p.Images) != 1 || len(p.Refused) != 0 {
		t.Errorf("%+v", p.Refused)
	}
}

// plannedPlaces are the references that a plan holds.
func plannedPlaces(p document.Plan) map[string]bool {
	out := map[string]bool{}
	for _, image := range p.Images {
		for _, r := range image.References {
			for _, tag := range append([]string{""}, r.Tags...) {
				out[fmt.Sprint(image.Target, r.Digest, tag)] = true
			}
		}
	}
	return out
}

// narrow adds to a selection. Newest comes last: it takes the newest of what the others leave, so that with it a further
// one may bring other images in.
func narrow(t *rapid.T, s Selection) Selection {
	switch rapid.IntRange(0, 6).Draw(t, "narrow") {
	case 0:
		s.WithoutReferrers = true
	case 1:
		s.TaggedOnly = true
	case 2:
		if s.selects() && s.OlderVersions > 0 {
			s.OlderVersions--
		}
	case 3:
		n := rapid.IntRange(1, 3).Draw(t, "fewer")
		if s.selects() && (s.Newest == 0 || s.Newest > n) || s.OlderVersions == 0 && s.Newest == 0 {
			s.Newest = n
		}
	case 4:
		if s.Newest == 0 && len(s.Tags) == 0 && s.OlderVersions == 0 {
			s.Tags = globs("v*")
		}
	case 5:
		if since := at(rapid.IntRange(0, 9).Draw(t, "later push")); s.Newest == 0 && since.After(s.PushedSince) {
			s.PushedSince = since
		}
	case 6:
		if since := at(rapid.IntRange(0, 9).Draw(t, "later pull")); s.Newest == 0 && since.After(s.PulledSince) {
			s.PulledSince = since
		}
	}
	return s
}

func TestMoreSelectorsPlanNothingNew(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		w := drawWorld(t)
		wide := plannedPlaces(w.plan())
		before := w.rules.Selection
		for range rapid.IntRange(1, 3).Draw(t, "times") {
			w.rules.Selection = narrow(t, w.rules.Selection)
		}
		for place := range plannedPlaces(w.plan()) {
			if !wide[place] {
				t.Errorf("%+v plans %s, which %+v does not", w.rules.Selection.Document(), place, before.Document())
			}
		}
	})
}

// What describes a planned image is planned, or refused for a reason of its own; and where only tagged images are
// wanted, each untagged one is a child of a planned one or describes one.
func TestSelectionsAreWhole(t *testing.T) {
	own := []string{document.RuleArchived, document.RuleUnreadable, document.RuleIncomplete}
	rapid.Check(t, func(t *rapid.T) {
		w := drawWorld(t)
		p := w.plan()
		refused := map[place]string{}
		for _, r := range p.Refused {
			refused[place{r.Source, r.Digest, r.Tag}] = r.Rule
		}
		for _, image := range p.Images {
			here, needed := map[digest.Digest]bool{}, map[digest.Digest]bool{}
			for _, r := range image.References {
				here[r.Digest] = true
				for _, c := range w.content[r.Digest].Children {
					needed[c.Digest] = true
				}
			}
			for _, i := range w.inv.Source.Images {
				if !slices.Contains(image.Sources, i.URI) {
					continue
				}
				for _, subject := range subjectsOf(w, i) {
					if !here[subject] {
						continue
					}
					needed[i.Digest] = true
					rule := refused[place{i.URI, i.Digest, ""}]
					if !w.rules.Selection.WithoutReferrers && !here[i.Digest] && !slices.Contains(own, rule) {
						t.Errorf("%s describes %s, and is refused as %q", i.Digest, subject, rule)
					}
				}
			}
			for _, r := range image.References {
				orphan := len(r.Tags) == 0 && !needed[r.Digest]
				if s := w.rules.Selection; orphan && s.TaggedOnly && len(s.Tags) == 0 {
					t.Errorf("%s is planned in %s, has no tag, and nobody needs it", r.Digest, image.Target)
				}
			}
		}
	})
}

func subjectsOf(w *world, i document.SourceImage) []digest.Digest {
	out := []digest.Digest{w.content[i.Digest].Subject}
	for _, tag := range i.Tags {
		if subject, ok := subjectOf(tag, i.Digest); ok {
			out = append(out, subject)
		}
	}
	return slices.DeleteFunc(out, func(d digest.Digest) bool { return d == "" || d == i.Digest })
}

// The worst selections: one that goes over everything and takes it, and one that leaves nearly all of it out.
func BenchmarkMakeSelected(b *testing.B) {
	for name, s := range map[string]Selection{
		"everything": {Tags: globs("*"), PulledSince: at(-1), Newest: 1 << 30, OlderVersions: 1 << 30, TaggedOnly: true},
		"little":     {Newest: 1},
	} {
		b.Run(name, func(b *testing.B) {
			w := large(1000)
			for i := range w.inv.Source.Images {
				w.inv.Source.Images[i].PushedAt, w.inv.Source.Images[i].LastPulledAt = at(i%400), at(i%400)
			}
			w.rules.Selection = s
			for b.Loop() {
				w.plan()
			}
		})
	}
}

// What ECR would delete today stays behind with what only belongs to it, unless something that is taken needs it.
func TestExpiredIsLeftOut(t *testing.T) {
	for name, test := range map[string]struct {
		expired   []string
		selection Selection
		want      string
	}{
		"unless it is asked for": {[]string{"r1", "lost"}, Selection{}, first + " lost " + second + " " + third},
		"with what describes it": {[]string{"r1", "amd1", "arm1", "lost"}, Selection{WithoutExpired: true}, second + " " + third},
		"but for what is needed": {[]string{"amd2", "sig2", "lost"}, Selection{WithoutExpired: true}, first + " " + second + " " + third},
		"before the newest":      {[]string{"r3"}, Selection{WithoutExpired: true, Newest: 1}, second},
		"among older ones":       {[]string{"r2"}, Selection{WithoutExpired: true, Newest: 1, OlderVersions: 2}, "lost " + third},
	} {
		t.Run(name, func(t *testing.T) {
			w := releases()
			w.rules.Selection = test.selection
			expired := map[digest.Digest]bool{}
			for _, name := range test.expired {
				expired[hash(name)] = true
			}
			w.rules.Expired = map[ref.Repository]map[digest.Digest]bool{virginia.Repository("app"): expired}
			p := w.plan()
			words := strings.Fields(test.want)
			slices.Sort(words)
			if diff := gocmp.Diff(strings.Join(words, " "), has(p, releaseNames...)); diff != "" {
				t.Error(diff)
			}
			for at, n := range fates(w, p) {
				if n != 1 {
					t.Errorf("%v is planned or refused %d times", at, n)
				}
			}
		})
	}
}

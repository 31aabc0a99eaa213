package plan

import (
	"errors"
	"slices"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"transship/internal/document"
	"transship/internal/ref"
)

func placed(place, from, to string) ref.Rule {
	u := mustRule(from, to)
	u.Place = place
	return u
}

func TestCheckMapping(t *testing.T) {
	const images = "us-docker.pkg.dev/my-project/app-images"
	one := placed("f.yaml:3", "one", images+"/joined")
	two := placed("f.yaml:4", "two", images+"/joined")
	for _, test := range []struct {
		name  string
		rules []ref.Rule
		build func(*world)
		want  []string // what each error holds
	}{
		{"no rules", nil, func(w *world) {
			w.image(virginia.Repository("one"), "a", "v1")
			w.image(ireland.Repository("one"), "b", "v1") // the default leads both to one image: a refusal, not an error
		}, nil},
		{"the same content", []ref.Rule{one, two}, func(w *world) {
			w.image(virginia.Repository("one"), "a", "v1")
			w.image(virginia.Repository("two"), "a", "v1")
		}, nil},
		{"one of them empty", []ref.Rule{one, two}, func(w *world) { w.image(virginia.Repository("one"), "a", "v1") }, nil},
		{"a tag that differs", []ref.Rule{one, two}, func(w *world) {
			w.image(virginia.Repository("one"), "a", "v1")
			w.image(virginia.Repository("two"), "b", "v1")
		}, []string{"different content is mapped to " + images + "/joined, from " + virginia.Repository("one").String() + " (f.yaml:3) and " +
			virginia.Repository("two").String() + " (f.yaml:4): the tag v1 is sha256:"}},
		{"nothing in common", []ref.Rule{one, two}, func(w *world) {
			w.image(virginia.Repository("one"), "a", "v1")
			w.image(virginia.Repository("two"), "b", "v2")
		}, []string{"have no image in common; give each a target of its own, for example with this in place of the rules: mappings: ["}},
		{"a rule and the default", []ref.Rule{placed("f.yaml:3", "one", images+"/two")}, func(w *world) {
			w.image(virginia.Repository("one"), "a", "v1")
			w.image(virginia.Repository("two"), "b", "v1")
		}, []string{"f.yaml:3: different content is mapped to " + images + "/two, from "}},
		{"out of scope", []ref.Rule{one, two}, func(w *world) {
			w.image(virginia.Repository("one"), "a", "v1")
			w.image(virginia.Repository("two"), "b", "v1")
			w.rules.Scope, _ = ref.ParseScope([]string{"one"}, nil)
		}, nil},
		{"a tag that moved while one was listed", []ref.Rule{one, two}, func(w *world) {
			w.image(virginia.Repository("one"), "a", "v1")
			w.image(virginia.Repository("one"), "b", "v1")
			w.image(virginia.Repository("two"), "a", "v0")
		}, nil},
		{"dead, twice", []ref.Rule{one, placed("f.yaml:5", "three/**", images), placed("f.yaml:6", "o*", images)}, nil, []string{
			`f.yaml:5: the rule for "three/**" matches none of the 2 repositories of the sources`, `f.yaml:6: the rule for "o*" is never reached`}},
		{"dead, and a collision", []ref.Rule{one, two, placed("f.yaml:5", "three/**", images)}, func(w *world) {
			w.image(virginia.Repository("one"), "a", "v1")
			w.image(virginia.Repository("two"), "b", "v1")
		}, []string{"f.yaml:5: ", "different content"}},
		{"out of scope is not dead", []ref.Rule{one}, func(w *world) { w.rules.Scope, _ = ref.ParseScope(nil, []string{"one"}) }, nil},
		{"a source that could not be listed", []ref.Rule{placed("f.yaml:5", "three/**", images)}, func(w *world) {
			w.inv.Failures = []document.Failure{{Source: ireland.Host(), Class: "denied", Error: "no"}}
		}, nil},
		{"a repository that could not be listed", []ref.Rule{placed("f.yaml:5", "three/**", images)}, func(w *world) {
			w.inv.Failures = []document.Failure{{Source: virginia.Repository("one").String(), Class: "denied", Error: "no"}}
		}, []string{"three/**"}},
		{"fewer sources than the configuration has", []ref.Rule{placed("f.yaml:5", "three/**", images)}, func(w *world) { w.rules.Narrowed = true }, nil},
	} {
		w := newWorld(test.rules...)
		w.repository(virginia.Repository("one"))
		w.repository(virginia.Repository("two"))
		if test.build != nil {
			test.build(w)
		}
		err := CheckMapping(w.rules, w.inv)
		if test.want == nil {
			if err != nil {
				t.Errorf("%s: %v", test.name, err)
			}
			continue
		}
		e, ok := errors.AsType[*MappingError](err)
		if !ok {
			t.Errorf("%s: no error", test.name)
			continue
		}
		if len(e.Unwrap()) != len(test.want) {
			t.Errorf("%s: %v", test.name, err)
			continue
		}
		for i, part := range e.Unwrap() {
			if !strings.Contains(part.Error(), test.want[i]) {
				t.Errorf("%s: %v", test.name, part)
			}
		}
	}
}

// A collision is exactly what the plan would refuse as a conflict of several sources, at least one of which a rule leads
// there.
func TestCollisionsAreConflicts(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		w := drawWorld(t)
		var e *MappingError
		if err := CheckMapping(w.rules, w.inv); err != nil {
			e, _ = errors.AsType[*MappingError](err)
		} else {
			e = &MappingError{}
		}
		colliding := map[ref.Repository]bool{}
		for _, c := range e.Collisions {
			for _, s := range c.Sources {
				colliding[s] = true
			}
		}
		refused := map[string][]ref.Repository{}
		for _, r := range w.plan().Refused {
			if r.Rule == document.RuleConflict && strings.HasPrefix(r.Reason, "different content") && !strings.Contains(r.Reason, "moved meanwhile") {
				refused[r.Target] = append(refused[r.Target], r.Source)
			}
		}
		n := 0
		for _, sources := range refused {
			ruled := slices.ContainsFunc(sources, func(r ref.Repository) bool { _, ok := w.rules.Mapping.Rule(r); return ok })
			for _, s := range sources {
				if ruled {
					n++
				}
				if colliding[s] != ruled {
					t.Fatalf("%s: a collision: %t, ruled: %t", s, colliding[s], ruled)
				}
			}
		}
		if n != len(colliding) {
			t.Fatalf("%d of %d collisions are refused by the plan", n, len(colliding))
		}
	})
}

package plan

import (
	"strings"
	"testing"

	gocmp "github.com/google/go-cmp/cmp"
	"go.yaml.in/yaml/v3"

	"transship/internal/document"
	"transship/internal/ref"
)

func TestRefusals(t *testing.T) {
	api := virginia.Repository("team/api")
	tests := map[string]struct {
		build func(w *world)
		want  []string // repository name, manifest's tag or nothing, rule
		say   []string // in the first reason
		plans int      // references
	}{
		"an archived image and its tags": {
			build: func(w *world) {
				w.repository(api)
				w.manifest("a")
				w.manifest("b")
				w.image(api, "a", "v1")
				w.image(api, "b", "v2", "v3").Status = document.StatusArchived
			},
			want:  []string{"team/api  archived", "team/api v2 archived", "team/api v3 archived"},
			say:   []string{"archived", "update-image-storage-class"},
			plans: 1,
		},
		"an image that is being restored": {
			build: func(w *world) {
				w.repository(api)
				w.image(api, "a").Status = document.StatusActivating
			},
			want: []string{"team/api  archived"},
			say:  []string{"wait until it is ACTIVE"},
		},
		"an index whose child is archived": {
			build: func(w *world) {
				w.repository(api)
				w.manifest("amd64")
				w.manifest("arm64")
				w.index("multi", "amd64", "arm64")
				w.image(api, "amd64")
				w.image(api, "arm64").Status = document.StatusArchived
				w.image(api, "multi", "v1")
			},
			want:  []string{"team/api  incomplete", "team/api v1 incomplete", "team/api  archived"},
			plans: 1,
		},
		"an index whose child is nowhere": {
			build: func(w *world) {
				w.repository(api)
				w.index("multi", "amd64")
				w.image(api, "multi", "v1")
				w.rules.Unread = []document.Failure{{Source: api.String(), Digest: hash("amd64"), Error: "it is gone"}}
			},
			want: []string{"team/api  incomplete", "team/api v1 incomplete"},
			say:  []string{hash("amd64").String(), "linux/amd64", "it is gone"},
		},
		"a manifest that was not served": {
			build: func(w *world) {
				w.repository(api)
				w.image(api, "a", "v1")
				w.rules.Unread = []document.Failure{{Source: api.String(), Error: "access denied", Hint: "allow it"}}
			},
			want: []string{"team/api  unreadable", "team/api v1 unreadable"},
			say:  []string{"access denied (allow it)"},
		},
		"a manifest that is not understood": {
			build: func(w *world) {
				w.repository(api)
				w.image(api, "a")
				w.content[hash("a")] = document.ContentEntry{Digest: hash("a"), Problem: "Docker schema 1 manifests are not supported"}
			},
			want: []string{"team/api  unreadable"},
			say:  []string{"schema 1"},
		},
		"an index within itself": {
			build: func(w *world) {
				w.repository(api)
				w.index("a", "b")
				w.index("b", "a")
				w.image(api, "a")
			},
			want: []string{"team/api  incomplete"},
			say:  []string{"within themselves"},
		},
		"a target name that is too long": {
			build: func(w *world) {
				long := virginia.Repository(strings.Repeat("a", 250))
				w.repository(long)
				w.manifest("a")
				w.image(long, "a", "v1")
			},
			want: []string{strings.Repeat("a", 250) + "  name"},
			say:  []string{"255", "mapping"},
		},
		"a repository without a mapping": {
			build: func(w *world) {
				w.repository(api)
				w.rules.Mapping = ref.Mapping{}
			},
			want: []string{"team/api  unmapped"},
			say:  []string{"--to"},
		},
		"a repository that could not be listed": {
			build: func(w *world) {
				w.repository(api)
				w.inv.Failures = []document.Failure{{Source: api.String(), Error: "throttled", Hint: "wait"}}
			},
			want: []string{"team/api  unavailable"},
			say:  []string{"throttled (wait)"},
		},
		"a registry that could not be listed": {
			build: func(w *world) {
				w.inv.Failures = []document.Failure{{Source: ireland.Host(), Error: "denied"}}
			},
			want: []string{"  unavailable"},
			say:  []string{"denied"},
		},
		"a failure of one image is not one of its repository": {
			build: func(w *world) {
				w.repository(api)
				w.inv.Failures = []document.Failure{{Source: api.String(), Digest: hash("a"), Error: "denied"}}
			},
		},
		"a repository out of scope": {
			build: func(w *world) {
				w.repository(api)
				w.rules.Scope, _ = ref.ParseScope([]string{"web"}, nil)
			},
			want: []string{"team/api  out-of-scope"},
		},
		"a repository that the inventory's scope left out": {
			build: func(w *world) {
				w.repository(api)
				w.inv.Scope.Include = []string{"web"}
			},
			want: []string{"team/api  unavailable"},
			say:  []string{"narrower scope"},
		},
		"a tag that moved while it was listed": {
			build: func(w *world) {
				w.repository(api)
				w.image(api, "a", "v1")
				w.image(api, "b", "v1")
			},
			want: []string{"team/api  conflict"},
			say:  []string{"v1", "run the inventory and the plan again"},
		},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			w := newWorld()
			test.build(w)
			p := w.plan()
			var got []string
			for _, r := range p.Refused {
				got = append(got, r.Source.Name+" "+r.Tag+" "+r.Rule)
			}
			less := func(a, b string) bool { return a < b }
			if diff := gocmp.Diff(test.want, got, sortStrings(less)); diff != "" {
				t.Errorf("refused: %s", diff)
			}
			for _, s := range test.say {
				if !strings.Contains(p.Refused[0].Reason, s) {
					t.Errorf("%q does not say %q", p.Refused[0].Reason, s)
				}
			}
			n := 0
			for _, image := range p.Images {
				n += len(image.References)
			}
			if n != test.plans {
				t.Errorf("%d references are planned, not %d", n, test.plans)
			}
		})
	}
}

func TestSourcesThatHoldTheSameMerge(t *testing.T) {
	a, b, c := virginia.Repository("app"), ireland.Repository("app"), other.Repository("app")
	w := newWorld()
	for _, r := range []ref.Repository{a, b, c} {
		w.repository(r)
	}
	w.manifest("1")
	w.manifest("2")
	w.image(a, "1", "v1").Status = document.StatusArchived
	w.image(b, "1", "v1", "stable")
	w.image(a, "2", "v2")
	p := w.plan()
	if len(p.Refused) != 0 || len(p.Images) != 1 {
		t.Fatalf("%+v", p)
	}
	image := p.Images[0]
	if diff := gocmp.Diff([]ref.Repository{b, a, c}, image.Sources); diff != "" {
		t.Error(diff)
	}
	want := []document.PlannedReference{{Digest: hash("1"), Tags: []string{"stable", "v1"}, Source: 0}, {Digest: hash("2"), Tags: []string{"v2"}, Source: 1}}
	if hash("2") < hash("1") {
		want[0], want[1] = want[1], want[0]
	}
	if diff := gocmp.Diff(want, image.References); diff != "" {
		t.Error(diff)
	}
}

func TestConflicts(t *testing.T) {
	tests := map[string]struct {
		build func(w *world)
		say   string
		to    []string // of the proposal
	}{
		"a tag with two digests, in two regions": {
			build: func(w *world) {
				a, b := virginia.Repository("app"), ireland.Repository("app")
				w.repository(a)
				w.repository(b)
				w.image(a, "1", "v1")
				w.image(b, "1")
				w.image(b, "2", "v1")
			},
			say: "the tag v1 is ",
			to:  []string{"us-docker.pkg.dev/my-project/app-images/eu-west-1/app", "us-docker.pkg.dev/my-project/app-images/us-east-1/app"},
		},
		"nothing in common, in two accounts": {
			build: func(w *world) {
				a, b := virginia.Repository("app"), other.Repository("app")
				w.repository(a)
				w.repository(b)
				w.image(a, "1", "v1")
				w.image(b, "2", "v2")
			},
			say: "have no image in common",
			to:  []string{"us-docker.pkg.dev/my-project/app-images/123456789012/app", "us-docker.pkg.dev/my-project/app-images/210987654321/app"},
		},
		"two repositories of one registry": {
			build: func(w *world) {
				w.rules.Mapping.Rules = []ref.Rule{
					mustRule("app", "us-docker.pkg.dev/my-project/app-images/all"), mustRule("web", "us-docker.pkg.dev/my-project/app-images/all"),
				}
				a, b := virginia.Repository("app"), virginia.Repository("web")
				w.repository(a)
				w.repository(b)
				w.image(a, "1")
				w.image(b, "2")
			},
			say: "have no image in common",
			to:  []string{"us-docker.pkg.dev/my-project/app-images/all/app", "us-docker.pkg.dev/my-project/app-images/all/web"},
		},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			w := newWorld()
			w.manifest("1")
			w.manifest("2")
			test.build(w)
			p := w.plan()
			if len(p.Images) != 0 || len(p.Refused) != 2 {
				t.Fatalf("%d images are planned, %d sources refused", len(p.Images), len(p.Refused))
			}
			if reason := p.Refused[0].Reason; !strings.Contains(reason, test.say) {
				t.Errorf("%q does not say %q", reason, test.say)
			}
			follow(t, w, p.Refused[0].Reason)
			p = w.plan()
			var to []string
			for _, image := range p.Images {
				to = append(to, image.Target.String())
			}
			if diff := gocmp.Diff(test.to, to); diff != "" {
				t.Errorf("after the proposal: %s%v", diff, p.Refused)
			}
		})
	}
}

// follow puts the proposal of a reason at the top of the rules, as a reader would.
func follow(t *testing.T, w *world, reason string) {
	t.Helper()
	_, text, ok := strings.Cut(reason, "mappings: ")
	if !ok {
		t.Fatalf("%q proposes nothing", reason)
	}
	var mappings []struct{ From, To string }
	if err := yaml.Unmarshal([]byte(text), &mappings); err != nil {
		t.Fatal(err)
	}
	var rules []ref.Rule
	for _, m := range mappings {
		rules = append(rules, mustRule(m.From, m.To))
	}
	w.rules.Mapping.Rules = append(rules, w.rules.Mapping.Rules...)
}

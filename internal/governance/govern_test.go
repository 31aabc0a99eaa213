package governance

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"transship/internal/document"
	"transship/internal/ref"
)

var (
	east = ref.Registry{Account: "123456789012", Region: "us-east-1"}
	apps = ref.TargetRepository{Location: "us", Project: "my-gcp-project", ID: "app-images"}
	now  = time.Date(2026, 11, 27, 0, 0, 0, 0, time.UTC)
)

// world is what is to be governed: everything is mapped into one repository unless a rule says otherwise.
type world struct {
	Config
	plan document.Plan
}

func newWorld(repositories ...document.SourceRepository) *world {
	w := &world{Config: Config{Mapping: ref.Mapping{Default: apps.Image("")}, Now: now}}
	for _, r := range repositories {
		r.URI = east.Repository(r.Name)
		w.Inventory.Source.Repositories = append(w.Inventory.Source.Repositories, r)
	}
	w.plan.Repositories = []document.PlannedRepository{{URI: apps}}
	return w
}

// rule maps what a pattern matches to another target repository, which the plan has, too.
func (w *world) rule(t *testing.T, from, to string) {
	t.Helper()
	r, err := ref.ParseRule(from, to)
	if err != nil {
		t.Fatal(err)
	}
	w.Mapping.Rules = append(w.Mapping.Rules, r)
	at, err := ref.ParseTarget(strings.TrimSuffix(to, "/**"))
	if err != nil {
		t.Fatal(err)
	}
	w.plan.Repositories = append(w.plan.Repositories, document.PlannedRepository{URI: at.Repository})
}

func (w *world) key(t *testing.T, from, name string) {
	t.Helper()
	g, err := ref.ParseGlob(from)
	if err != nil {
		t.Fatal(err)
	}
	w.Keys = append(w.Keys, Key{From: g, Name: name, Where: fmt.Sprintf("transship.yaml:%d", len(w.Keys)+1)})
}

// fates lists what became of one kind of setting: repository, fate, and what it becomes.
func fates(g document.Governance, setting string) string {
	var out []string
	for _, r := range g.Repositories {
		for _, t := range r.Settings {
			if t.Setting == setting {
				out = append(out, strings.TrimSpace(fmt.Sprintf("%s %s %s", r.Source.Name, t.Fate, t.Becomes)))
			}
		}
	}
	return strings.Join(out, "; ")
}

func TestImmutability(t *testing.T) {
	for name, test := range map[string]struct {
		modes []string
		want  string
		set   bool
	}{
		"all immutable":  {[]string{immutable, immutable}, "r0 later immutable tags; r1 later immutable tags", true},
		"all mutable":    {[]string{mutable, ""}, "r0 exact tags may move; r1 exact tags may move", false},
		"mixed":          {[]string{immutable, mutable}, "r0 refused; r1 exact tags may move", false},
		"exclusions":     {[]string{immutableWithExclusion, mutableWithExclusion}, "r0 refused; r1 refused", false},
		"one excludes":   {[]string{immutable, immutableWithExclusion}, "r0 refused; r1 refused", false},
		"a mode to come": {[]string{"FROZEN"}, "r0 refused", false},
		"none at all":    {nil, "", false},
	} {
		t.Run(name, func(t *testing.T) {
			w := newWorld()
			for n, mode := range test.modes {
				name := fmt.Sprint("r", n)
				w.Inventory.Source.Repositories = append(w.Inventory.Source.Repositories,
					document.SourceRepository{Name: name, URI: east.Repository(name), TagMutability: mode, TagExclusions: []string{"dev*"}})
			}
			g, err := Govern(w.Config, &w.plan)
			if got := fates(g, document.SettingImmutability); err != nil || got != test.want {
				t.Errorf("%q, want %q (%v)", got, test.want, err)
			}
			if got := w.plan.Repositories[0].Settings.ImmutableTags; got != test.set {
				t.Errorf("immutable tags: %v", got)
			}
			undecided(t, g)
		})
	}
}

// undecided fails where something is refused without a reason and what to do.
func undecided(t *testing.T, g document.Governance) {
	t.Helper()
	for _, r := range g.Repositories {
		for _, s := range r.Settings {
			if s.Was == "" || s.Fate == "" || s.Fate == document.FateRefused && (s.Reason == "" || s.Decide == "") {
				t.Errorf("%s: %+v", r.Source, s)
			}
		}
	}
}

func TestScanning(t *testing.T) {
	rules := []document.ScanRule{{Frequency: scanOnPush, Patterns: []string{"team/*", "exact"}}, {Frequency: scanContinuous, Patterns: []string{"prod*"}}}
	for name, test := range map[string]struct {
		repositories []document.SourceRepository
		rules        []document.ScanRule
		want, set    string
	}{
		"none":              {[]document.SourceRepository{{Name: "a"}}, nil, "a needless", ""},
		"its own setting":   {[]document.SourceRepository{{Name: "a", ScanOnPush: true}, {Name: "b"}}, nil, "a approximate scanned as the project is; b needless", document.ScanningInherited},
		"the registry's":    {[]document.SourceRepository{{Name: "team/a"}, {Name: "my-exact-one"}, {Name: "b"}}, rules, "b needless; my-exact-one approximate scanned as the project is; team/a approximate scanned as the project is", document.ScanningInherited},
		"continuous":        {[]document.SourceRepository{{Name: "production"}}, rules, "production approximate scanned as the project is", document.ScanningInherited},
		"only when told to": {[]document.SourceRepository{{Name: "team/a"}}, []document.ScanRule{{Frequency: "MANUAL", Patterns: []string{"*"}}}, "team/a needless", ""},
	} {
		t.Run(name, func(t *testing.T) {
			w := newWorld(test.repositories...)
			w.Settings.Registries = []document.RegistrySettings{{Registry: east, Scans: test.rules}}
			g, err := Govern(w.Config, &w.plan)
			if got := fates(g, document.SettingScanning); err != nil || got != test.want {
				t.Errorf("%q, want %q (%v)", got, test.want, err)
			}
			if got := w.plan.Repositories[0].Settings.Scanning; got != test.set {
				t.Errorf("scanning is %q, want %q", got, test.set)
			}
			undecided(t, g)
		})
	}
}

func TestMatches(t *testing.T) {
	for _, test := range []struct {
		pattern, name string
		want          bool
	}{
		{"*", "a/b", true}, {"a", "bab", true}, {"a", "b", false}, {"a*", "a/b", true}, {"a*", "ba", false}, {"*b", "a/b", true}, {"*b", "ba", false},
		{"a*b*c", "a1b2c", true}, {"a*b*c", "acb", false}, {"a*a", "a", false}, {"", "x", true},
	} {
		if got := matches(test.pattern, test.name); got != test.want {
			t.Errorf("%q matches %q: %v", test.pattern, test.name, got)
		}
	}
}

func TestEncryption(t *testing.T) {
	const ours = "projects/my-gcp-project/locations/us/keyRings/images/cryptoKeys/secure"
	kms := document.SourceRepository{Name: "secure/a", EncryptionType: "KMS", KMSKey: "arn:aws:kms:us-east-1:123456789012:key/1"}
	plain := document.SourceRepository{Name: "plain", EncryptionType: "AES256"}
	t.Run("without a key", func(t *testing.T) {
		w := newWorld(kms, plain)
		g, err := Govern(w.Config, &w.plan)
		if got := fates(g, document.SettingEncryption); err != nil || got != "plain needless encrypted by Google's own key; secure/a refused" {
			t.Error(got, err)
		}
		undecided(t, g)
	})
	t.Run("with a key for its group", func(t *testing.T) {
		w := newWorld(kms, plain)
		w.rule(t, "secure/**", "us-docker.pkg.dev/my-gcp-project/secure")
		w.key(t, "secure/**", ours)
		g, err := Govern(w.Config, &w.plan)
		if got := fates(g, document.SettingEncryption); err != nil || got != "plain needless encrypted by Google's own key; secure/a exact "+ours {
			t.Error(got, err)
		}
		if w.plan.Repositories[0].Settings.KMSKey != "" || w.plan.Repositories[1].Settings.KMSKey != ours {
			t.Errorf("the keys are %q and %q", w.plan.Repositories[0].Settings.KMSKey, w.plan.Repositories[1].Settings.KMSKey)
		}
	})
	for name, test := range map[string]struct {
		keys [][2]string
		want string
	}{
		"two keys for one repository": {[][2]string{{"secure/**", ours}, {"plain", ours + "2"}}, "map them apart"},
		"no name of a key":            {[][2]string{{"secure/**", "secure"}}, "transship.yaml:1: the key secure for us-docker.pkg.dev/my-gcp-project/app-images is not the name of a key: write it as projects/"},
		"another location":            {[][2]string{{"secure/**", strings.Replace(ours, "/us/", "/europe/", 1)}}, "is in europe, and the repository in us: name a key whose location is us"},
		"a pattern that is dead":      {[][2]string{{"secure/**", ours}, {"save/**", ours}}, "transship.yaml:2: save/**: the pattern matches no repository"},
	} {
		t.Run(name, func(t *testing.T) {
			w := newWorld(kms, plain)
			for _, k := range test.keys {
				w.key(t, k[0], k[1])
			}
			if _, err := Govern(w.Config, &w.plan); err == nil || !strings.Contains(err.Error(), test.want) {
				t.Errorf("%v, want %s", err, test.want)
			}
		})
	}
}

// Whatever texts the source has, nothing of it is markup in the report.
func TestMarkdownIsClean(t *testing.T) {
	w := newWorld(document.SourceRepository{Name: "a", TagMutability: "| <script>`x`\x1b[2J\n# head"})
	g, err := Govern(w.Config, &w.plan)
	if err != nil {
		t.Fatal(err)
	}
	text := Markdown(g, w.plan)
	for _, bad := range []string{"<script>", "\x1b", "\n# head", "| <"} {
		if strings.Contains(text, bad) {
			t.Errorf("%q is in it:\n%s", bad, text)
		}
	}
	if strings.Contains(text, `\\`) {
		t.Errorf("something is escaped twice:\n%s", text)
	}
	if diff := cmp.Diff(1, strings.Count(text, "\n# ")+strings.Count(text[:2], "# ")); diff != "" {
		t.Error(diff)
	}
}

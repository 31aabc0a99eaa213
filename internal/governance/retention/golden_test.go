package retention

import (
	"bytes"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/opencontainers/go-digest"

	"transship/internal/document"
	"transship/internal/golden"
	"transship/internal/governance/cleanup"
	"transship/internal/governance/image"
	"transship/internal/ref"
)

var now = time.Date(2026, 7, 1, 12, 0, 0, 0, time.UTC)

// readImages reads lines "NAME DAYS [WORD…]": an image that was pushed so many days ago, an hour less. A word is a tag,
// or child:NAME, subject:NAME, pulled:DAYS or archived.
func readImages(t testing.TB, path string) (out []image.Image) {
	t.Helper()
	b, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	for line := range strings.Lines(string(b)) {
		words := strings.Fields(line)
		i := image.Image{Digest: digest.Digest(words[0]), PushedAt: ago(t, words[1])}
		for _, w := range words[2:] {
			switch key, value, _ := strings.Cut(w, ":"); {
			case key == "child":
				i.Children = append(i.Children, digest.Digest(value))
			case key == "subject":
				i.Subject = digest.Digest(value)
			case key == "pulled":
				i.LastPulledAt = ago(t, value)
			case w == "archived":
				i.Archived = true
			default:
				i.Tags = append(i.Tags, w)
			}
		}
		out = append(out, i)
	}
	return out
}

func ago(t testing.TB, days string) time.Time {
	var n float64
	if _, err := fmt.Sscan(days, &n); err != nil {
		t.Fatal(err)
	}
	return now.Add(-time.Duration(n*24) * time.Hour).Add(time.Hour)
}

// rest is the policies as the API has them. FACTS C2.
func rest(policies []document.CleanupPolicy) map[string]any {
	out := map[string]any{}
	for _, p := range policies {
		one := map[string]any{"id": p.ID, "action": p.Action}
		put := func(m map[string]any, key string, value any, is bool) {
			if is {
				m[key] = value
			}
		}
		if c := p.Condition; c != nil {
			m := map[string]any{}
			put(m, "tagState", c.TagState, c.TagState != "")
			put(m, "tagPrefixes", c.TagPrefixes, len(c.TagPrefixes) > 0)
			put(m, "packageNamePrefixes", c.PackagePrefixes, len(c.PackagePrefixes) > 0)
			put(m, "olderThan", fmt.Sprintf("%ds", c.OlderThan), c.OlderThan > 0)
			put(m, "newerThan", fmt.Sprintf("%ds", c.NewerThan), c.NewerThan > 0)
			one["condition"] = m
		}
		if r := p.MostRecent; r != nil {
			m := map[string]any{"keepCount": r.KeepCount}
			put(m, "packageNamePrefixes", r.PackagePrefixes, len(r.PackagePrefixes) > 0)
			one["mostRecentVersions"] = m
		}
		out[p.ID] = one
	}
	return out
}

// show writes all of a result.
func show(t testing.TB, in Input, r Result) string {
	t.Helper()
	var b bytes.Buffer
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false)
	e.SetIndent("", " ")
	if err := e.Encode(map[string]any{"cleanupPolicyDryRun": true, "cleanupPolicies": rest(r.Policies)}); err != nil {
		t.Fatal(err)
	}
	tell := func(list []document.Translation) {
		for _, s := range list {
			fmt.Fprintf(&b, "\n%s: %s\n  → %s\n  %s: %s\n", s.Item, s.Was, s.Becomes, s.Fate, s.Reason)
			if s.Decide != "" {
				fmt.Fprintf(&b, "  Decide: %s\n", s.Decide)
			}
		}
	}
	tell(r.Target)
	for n, s := range r.Sources {
		if len(r.Sources) > 1 {
			fmt.Fprintf(&b, "\n======== %s\n", in.Sources[n].Package)
		}
		tell(s.Settings)
		fmt.Fprintf(&b, "\n%-12s %6s %6s\n", "days to go", "ECR", "AR")
		for _, d := range s.Doomed {
			fmt.Fprintf(&b, "%-12s %6s %6s  %s\n", d.Digest, when(d.Source), when(d.Target), strings.Join(d.Tags, " "))
		}
	}
	return b.String()
}

func when(days int) string {
	if days == document.Never {
		return "never"
	}
	return fmt.Sprint(days)
}

func one(name, policy string, images []image.Image) Input {
	return Input{
		Target:  ref.TargetRepository{Location: "us", Project: "my-project", ID: "app-images"},
		Sources: []Source{{Package: name, Policy: policy, Images: images}}, Now: now,
	}
}

// Each policy in testdata is named by what it shows; those of aws- are from Amazon's documentation, those of terraform-
// from that of its provider. Beside a policy may lie the images that its documentation plays it with.
func TestPolicies(t *testing.T) {
	files, err := filepath.Glob("testdata/*.json")
	if err != nil || len(files) < 40 {
		t.Fatalf("%d policies, %v", len(files), err)
	}
	for _, file := range files {
		name := strings.TrimSuffix(filepath.Base(file), ".json")
		t.Run(name, func(t *testing.T) {
			text, err := os.ReadFile(file)
			if err != nil {
				t.Fatal(err)
			}
			images := filepath.Join("testdata", name+".images")
			if _, err := os.Stat(images); err != nil {
				images = "testdata/default.images"
			}
			in := one("team/app", string(text), readImages(t, images))
			result := Translate(in)
			if err := cleanup.Check(result.Policies); err != nil {
				t.Error(err)
			}
			golden.Compare(t, name+".golden", show(t, in, result))
		})
	}
}

// What Amazon's documentation says of its examples.
func TestExamplesEndAsDocumented(t *testing.T) {
	for name, want := range map[string]string{
		"aws-multiple-rules-a": "A", "aws-multiple-rules-a-prefixes": "A", "aws-multiple-rules-b": "A B",
		"aws-multiple-tags-a": "C", "aws-multiple-tags-b": "A B", "aws-all-images-a": "A B C", "aws-all-images-b": "A B D",
	} {
		text, err := os.ReadFile(filepath.Join("testdata", name+".json"))
		if err != nil {
			t.Fatal(err)
		}
		r := Translate(one("team/app", string(text), readImages(t, filepath.Join("testdata", name+".images"))))
		var got []string
		for _, d := range r.Sources[0].DueToday {
			got = append(got, d.String())
		}
		if g := strings.Join(got, " "); g != want {
			t.Errorf("%s: ECR deletes %q today, not %q", name, g, want)
		}
	}
}

package retention

import (
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"slices"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/opencontainers/go-digest"
	"pgregory.net/rapid"

	"transship/internal/document"
	"transship/internal/governance/cleanup"
	"transship/internal/governance/image"
	"transship/internal/governance/lifecycle"
	"transship/internal/ref"
)

var (
	drawnTags     = []string{"prod", "prod-1", "prod-eu-1", "dev-1", "dev-2", "v1", "v10", "v1-rc", "latest"}
	drawnPatterns = []string{"prod*", "prod-eu*", "dev*", "v1", "v1*", "v*", "*", "*-rc", "v*rc*", "latest", "p*1"}
	drawnAges     = []int{1, 2, 5, 10, 30, 40}
)

// drawRule draws a rule with a priority; the last one selects any image.
func drawRule(t *rapid.T, priority int, last bool) map[string]any {
	selection := map[string]any{"tagStatus": "tagged"}
	switch kind := rapid.IntRange(0, 5).Draw(t, "tags"); {
	case last:
		selection["tagStatus"] = "any"
	case kind == 0:
		selection["tagStatus"] = "untagged"
	case kind == 1:
		selection["tagStatus"] = rapid.SampledFrom([]string{"signed", "untagged"}).Draw(t, "status")
	default:
		selection["tagPatternList"] = rapid.SliceOfN(rapid.SampledFrom(drawnPatterns), 1, 2).Draw(t, "patterns")
	}
	action := map[string]any{"type": "expire"}
	switch rapid.IntRange(0, 9).Draw(t, "count") {
	case 0, 1:
		selection["countType"], selection["countNumber"] = "imageCountMoreThan", rapid.IntRange(1, 4).Draw(t, "number")
	case 2:
		selection["countType"], selection["countNumber"] = "imageCountMoreThan", 9999
	case 3:
		selection["countType"], selection["countUnit"], selection["countNumber"] = "sinceImagePulled", "days", 5
		action = map[string]any{"type": "transition", "targetStorageClass": "archive"}
	case 4:
		selection["countType"], selection["countUnit"], selection["countNumber"] = "sinceImageDreamt", "days", 5
	default:
		selection["countType"], selection["countUnit"] = "sinceImagePushed", "days"
		selection["countNumber"] = rapid.SampledFrom(drawnAges).Draw(t, "days")
	}
	return map[string]any{"rulePriority": priority, "selection": selection, "action": action}
}

func drawPolicy(t *rapid.T) string {
	rules := []any{}
	n := rapid.IntRange(-1, 3).Draw(t, "rules")
	if n < 0 { // what is rarely drawn otherwise
		return fmt.Sprintf(`{"rules":[{"rulePriority":1,"selection":{"tagStatus":"any","countType":"imageCountMoreThan","countNumber":%d},`+
			`"action":{"type":"expire"}}]}`, rapid.IntRange(1, 4).Draw(t, "newest"))
	}
	for i := range n {
		rules = append(rules, drawRule(t, i+1, false))
	}
	if n == 0 || rapid.Bool().Draw(t, "any") {
		rules = append(rules, drawRule(t, n+1, true))
	}
	b, err := json.Marshal(map[string]any{"rules": rules})
	if err != nil {
		t.Fatal(err)
	}
	return string(b)
}

// drawImages draws an inventory; the digests of several may be the same.
func drawImages(t *rapid.T) []image.Image {
	var out []image.Image
	free := slices.Clone(drawnTags)
	for n := range rapid.IntRange(0, 10).Draw(t, "images") {
		i := image.Image{Digest: digest.Digest(fmt.Sprintf("sha256:%02d", n)),
			PushedAt: now.Add(-time.Duration(rapid.IntRange(0, 24*60).Draw(t, "hours")) * time.Hour)}
		for range rapid.IntRange(0, 2).Draw(t, "tags") {
			if len(free) > 0 {
				k := rapid.IntRange(0, len(free)-1).Draw(t, "tag")
				i.Tags = append(i.Tags, free[k])
				free = slices.Delete(free, k, k+1)
			}
		}
		if n > 0 {
			other := out[rapid.IntRange(0, n-1).Draw(t, "other")].Digest
			switch rapid.IntRange(0, 9).Draw(t, "relation") {
			case 0, 1:
				i.Children = []digest.Digest{other, out[n-1].Digest}
			case 2:
				i.Subject = other
			case 3:
				i.Archived = true
			}
		}
		out = append(out, i)
	}
	return out
}

func drawInput(t *rapid.T) Input {
	in := Input{Now: now, LeaveOut: rapid.Bool().Draw(t, "leave out")}
	policies := []string{"", drawPolicy(t), drawPolicy(t)}
	for n := range rapid.IntRange(1, 4).Draw(t, "sources") {
		in.Sources = append(in.Sources, Source{
			Repository: ref.Registry{Account: "123456789012", Region: "us-east-1"}.Repository(fmt.Sprint("r", n)),
			Package:    rapid.SampledFrom([]string{"a", "ab", "a/b", "c"}).Draw(t, "package"),
			Policy:     rapid.SampledFrom(policies).Draw(t, "policy"), Images: drawImages(t)})
	}
	if rapid.Bool().Draw(t, "others") {
		in.Others = []string{"abc"}
	}
	in.Sole = rapid.Bool().Draw(t, "sole")
	return in
}

// versionsOf is what is copied to a package, once more and more simply.
func versionsOf(in Input, name string) (out []cleanup.Version) {
	for _, s := range in.Sources {
		if s.Package != name {
			continue
		}
		for _, i := range newSource(s, in.Now, in.LeaveOut).copied {
			out = append(out, cleanup.Version{Image: s.Images[i], UploadedAt: in.Now})
		}
	}
	return out
}

func TestNothingGoesBeforeItsTime(t *testing.T) {
	translated := 0
	rapid.Check(t, func(t *rapid.T) {
		in := drawInput(t)
		r := Translate(in)
		if err := cleanup.Check(r.Policies); err != nil {
			t.Fatal(err)
		}
		translated += len(r.Policies)
		for n, s := range in.Sources {
			policy, err := lifecycle.Parse(s.Policy)
			if err != nil && s.Policy != "" {
				t.Fatal(err)
			}
			expires := map[digest.Digest]image.Moment{}
			for k, v := range lifecycle.Evaluate(policy, s.Images, now) {
				expires[s.Images[k].Digest] = v.Expires
			}
			if len(r.Sources[n].Settings) != len(policy.Rules) {
				t.Fatalf("%d rules, and %v", len(policy.Rules), r.Sources[n].Settings)
			}
			versions := versionsOf(in, s.Package)
			for _, v := range cleanup.Variants() {
				for k, d := range cleanup.NewPackage(s.Package, versions).Evaluate(r.Policies, v) {
					if e, ok := expires[versions[k].Digest]; ok && d.At < e && !shared(in, n) {
						t.Fatalf("%+v: %s goes at %d by %s, not at %d\n%s\n%+v", v, versions[k].Digest, d.At, d.Policy, e, s.Policy, r.Policies)
					}
				}
			}
		}
	})
	if translated == 0 {
		t.Error("nothing was translated")
	}
}

// shared tells whether another source goes to the same package: its images of the same digests are not ours.
func shared(in Input, n int) bool {
	for k, s := range in.Sources {
		if k != n && s.Package == in.Sources[n].Package {
			return true
		}
	}
	return false
}

// drawAges draws a policy of ages alone, with tags that can be said.
func drawAges(t *rapid.T) string {
	tags := rapid.SliceOfNDistinct(rapid.SampledFrom([]string{"prod*", "prod-eu*", "dev*", "v1*", "*", "untagged"}), 1, 3, rapid.ID).Draw(t, "tags")
	if rapid.Bool().Draw(t, "any") {
		tags = append(tags, "any")
	}
	for n := range tags {
		tags[n] += fmt.Sprint(" ", rapid.SampledFrom(drawnAges).Draw(t, "days"))
	}
	return expire(tags...)
}

func TestExactIsTheSame(t *testing.T) {
	exact := 0
	rapid.Check(t, func(t *rapid.T) {
		images := drawImages(t)
		for i := range images {
			images[i].Archived = false
			images[i].PushedAt = now // the age restarts
		}
		policy := rapid.OneOf(rapid.Custom(drawPolicy), rapid.Custom(drawAges)).Draw(t, "policy")
		in := Input{Now: now, Sources: []Source{{Package: "a", Policy: policy, Images: images}}}
		s := newSource(in.Sources[0], now, false)
		for _, p := range s.parts {
			if fate := table[p.outcome].fate; (fate != document.FateExact && fate != document.FateNeedless) || len(p.longer) > 0 {
				return
			}
		}
		r := Translate(in)
		if len(r.Sources[0].Evidence) > 0 {
			return
		}
		exact++
		versions := versionsOf(in, "a")
		for n, d := range cleanup.NewPackage("a", versions).Evaluate(r.Policies, cleanup.Variant{}) {
			if d.At != s.expires[n] {
				t.Fatalf("%s goes at %d, not at %d\n%s\n%+v", versions[n].Digest, d.At, s.expires[n], in.Sources[0].Policy, r.Policies)
			}
		}
	})
	if exact == 0 {
		t.Error("nothing was exact")
	}
}

func TestTheOrderOfSourcesDoesNotMatter(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		in := drawInput(t)
		before := Translate(in)
		order := rand.New(rand.NewPCG(rapid.Uint64().Draw(t, "seed"), 0)).Perm(len(in.Sources))
		other := in
		other.Sources = make([]Source, len(order))
		for to, from := range order {
			other.Sources[to] = in.Sources[from]
		}
		after := Translate(other)
		if diff := cmp.Diff(before.Policies, after.Policies); diff != "" {
			t.Fatal(diff)
		}
		for to, from := range order {
			if diff := cmp.Diff(before.Sources[from], after.Sources[to]); diff != "" && !shared(in, from) {
				t.Fatal(diff)
			}
		}
	})
}

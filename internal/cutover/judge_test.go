package cutover

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/opencontainers/go-digest"
	"pgregory.net/rapid"

	"transship/internal/document"
	"transship/internal/ref"
	"transship/internal/report"
)

var (
	noon = time.Date(2026, 11, 27, 12, 0, 0, 0, time.UTC)
	ecr  = ref.Registry{Account: "123456789012", Region: "us-east-1"}
)

func sha(text string) digest.Digest { return digest.FromString(text) }

func target(name string) ref.TargetImage {
	t, err := ref.ParseTarget("us-docker.pkg.dev/my-gcp-project/images/" + name)
	if err != nil {
		panic(err)
	}
	return t
}

func units() report.Units {
	return report.Units{
		Bytes: func(n int64) string { return fmt.Sprint(n, " B") }, Number: func(n int) string { return fmt.Sprint(n) },
		Count: func(n int, noun string) string { return fmt.Sprint(n, " ", noun) }, Duration: time.Duration.String,
		Clean: func(s string) string { return strings.ReplaceAll(s, "\n", " ") },
	}
}

// image is one in ECR, pushed and pulled long ago.
func image(repository, content string, tags ...string) document.SourceImage {
	return document.SourceImage{
		Name: repository, URI: ecr.Repository(repository), Digest: sha(content), Tags: tags, Size: 100, Status: document.StatusActive,
		PushedAt: noon.AddDate(0, 0, -100), LastPulledAt: noon.AddDate(0, 0, -90),
	}
}

// world is a migration all of whose images were copied, and verified a day ago.
func world(images ...document.SourceImage) Evidence {
	e := Evidence{
		At: noon, Units: units(), Late: time.Hour, Quiet: DefaultQuiet,
		Map:      func(r ref.Repository) (ref.TargetImage, error) { return target(r.Name), nil },
		Switched: func(ref.Repository) time.Time { return time.Time{} },
		Pulls:    []Pulls{{Registry: ecr, Principal: "arn:aws:iam::1:user/m", Excluded: true}},
	}
	v := &document.Verification{}
	of := map[ref.Repository]int{}
	for _, i := range images {
		n, ok := of[i.URI]
		if !ok {
			n = len(v.Repositories)
			of[i.URI] = n
			v.Repositories = append(v.Repositories, document.VerifiedRepository{Source: i.URI, Target: target(i.Name), VerifiedAt: noon.AddDate(0, 0, -1), Deep: true})
			e.Inventory.Source.Repositories = append(e.Inventory.Source.Repositories, document.SourceRepository{Name: i.Name, URI: i.URI})
		}
		r := &v.Repositories[n]
		r.Digests = append(r.Digests, i.Digest)
		for _, tag := range i.Tags {
			r.Tags = append(r.Tags, document.VerifiedTag{Tag: tag, Digest: i.Digest})
		}
		e.Inventory.Source.Images = append(e.Inventory.Source.Images, i)
		e.Inventory.Target.Images = append(e.Inventory.Target.Images, document.TargetImage{URI: target(i.Name), Digest: i.Digest, Tags: slices.Clone(i.Tags)})
	}
	e.Verification = v
	return e
}

func switchedAt(e *Evidence, at time.Time) { e.Switched = func(ref.Repository) time.Time { return at } }

func check(t *testing.T, c document.Cutover, name string, want document.CheckState, says ...string) {
	t.Helper()
	n := slices.IndexFunc(c.Checks, func(c document.GateCheck) bool { return c.Name == name })
	if n < 0 {
		t.Fatalf("there is no check %s", name)
	}
	got := c.Checks[n]
	text := strings.Join(append(got.Evidence, got.Do...), " ")
	if got.State != want {
		t.Errorf("%s: %s, want %s: %s", name, got.State, want, text)
	}
	for _, s := range says {
		if !strings.Contains(text, s) {
			t.Errorf("%s does not say %q: %s", name, s, text)
		}
	}
	if want != document.CheckPass && len(got.Do) == 0 {
		t.Errorf("%s does not say what to do", name)
	}
}

func TestVerified(t *testing.T) {
	e := world(image("a", "1", "v1"), image("a", "2"), image("b", "3", "v1", "latest"))
	check(t, Judge(e), CheckVerified, document.CheckPass, "4 reference", "Every blob")

	moved := world(image("a", "1", "v1"), image("a", "2", "v2"))
	moved.Inventory.Source.Images[0].Tags, moved.Inventory.Source.Images[1].Tags = nil, []string{"v1", "v2"}
	check(t, Judge(moved), CheckVerified, document.CheckFail, "1 reference pushed or moved in ECR since the verification: a:v1")

	incomplete := world(image("a", "1", "v1"))
	incomplete.Verification.Repositories[0].Missing = 1
	check(t, Judge(incomplete), CheckVerified, document.CheckFail, "missing or different")

	gone := world(image("a", "1", "v1"))
	gone.Inventory.Target.Images = nil
	check(t, Judge(gone), CheckVerified, document.CheckFail, "not at the target any more: a:v1")

	unproved := world(image("a", "1", "v1"))
	unproved.Verification.Repositories = nil
	check(t, Judge(unproved), CheckVerified, document.CheckFail, "1 repository never verified")

	unlisted := world(image("a", "1", "v1"))
	unlisted.Inventory.Failures = []document.Failure{{Source: "b", Error: "denied"}}
	check(t, Judge(unlisted), CheckVerified, document.CheckUnknown, "could not be listed now: b")

	nothing := world()
	nothing.Verification = nil
	check(t, Judge(nothing), CheckVerified, document.CheckFail, "Nothing was verified yet")
}

// A listing proves presence, and no more.
func TestDoubts(t *testing.T) {
	e := world(image("a", "1", "v1", "v2"), image("a", "2"))
	if d := Doubts(e); len(d) > 0 {
		t.Errorf("the listing shows all, and there are doubts: %+v", d)
	}
	e.Inventory.Target.Images[0].Tags = []string{"v1"}
	e.Inventory.Target.Images = e.Inventory.Target.Images[:1]
	d := Doubts(e)
	if len(d) != 2 || d[0].Tag != "v2" || d[1].Digest != sha("2") {
		t.Fatalf("doubts: %+v", d)
	}
	late := e
	late.Settle(d, []digest.Digest{sha("1"), sha("2")})
	check(t, Judge(late), CheckVerified, document.CheckPass)
	gone := e
	gone.Settle(d, []digest.Digest{"", sha("2")})
	check(t, Judge(gone), CheckVerified, document.CheckFail, "1 reference proved once, and not at the target any more: a:v2")
	moved := e
	moved.Settle(d, []digest.Digest{sha("other"), sha("2")})
	check(t, Judge(moved), CheckVerified, document.CheckFail, "a:v2")
}

// A pipeline that pushes to the target moves tags there. One that still pushes to ECR moves them here, and the target is behind.
func TestMovedOn(t *testing.T) {
	at := func(on string, source string) Evidence {
		e := world(image("a", "1", "latest"), image("a", "2"))
		e.Inventory.Target.Images[0].Tags = nil
		e.Inventory.Target.Images = append(e.Inventory.Target.Images, document.TargetImage{URI: target("a"), Digest: sha(on), Tags: []string{"latest"}})
		if source == "2" {
			e.Inventory.Source.Images[0].Tags, e.Inventory.Source.Images[1].Tags = nil, []string{"latest"}
		}
		switchedAt(&e, noon.AddDate(0, 0, -10))
		return e
	}
	check(t, Judge(at("new at the target", "1")), CheckVerified, document.CheckPass, "1 tag moved on at the target since the switch: a:latest")
	check(t, Judge(at("1", "2")), CheckVerified, document.CheckFail, "1 reference pushed or moved in ECR")

	before := at("new at the target", "1")
	switchedAt(&before, time.Time{})
	check(t, Judge(before), CheckVerified, document.CheckFail, "not at the target any more: a:latest")

	mismatched := at("new at the target", "1")
	mismatched.Verification.Repositories[0].Tags, mismatched.Verification.Repositories[0].Mismatched = nil, 1
	check(t, Judge(mismatched), CheckVerified, document.CheckPass)
}

func TestLeftOutByAnotherVerification(t *testing.T) {
	e := world(image("a", "1", "v1"))
	e.Inventory.Source.Images = append(e.Inventory.Source.Images, image("a", "2", "old"))
	e.Verification.Repositories[0].Excluded = 1
	e.Verification.Scope = document.Scope{Include: []string{"b"}}
	check(t, Judge(e), CheckVerified, document.CheckFail, "a later verification of another part")
	e.Verification.Scope = document.Scope{}
	e.Verification.Cases = []document.Case{{Kind: document.CaseExcluded, Source: ecr.Repository("a"), Tag: "old", SourceDigest: sha("2"), Rule: document.RuleNotSelected}}
	check(t, Judge(e), CheckVerified, document.CheckPass, "1 image left out by rules")
}

func TestSync(t *testing.T) {
	e := world(image("a", "1", "v1"))
	check(t, Judge(e), CheckSync, document.CheckPass, "No sync runs")
	e.Sync = &document.Sync{Cycle: document.SyncCycle{EndedAt: noon}, LastSuccess: noon.Add(-time.Minute)}
	check(t, Judge(e), CheckSync, document.CheckPass)
	e.Sync.LastSuccess = noon.Add(-2 * time.Hour)
	check(t, Judge(e), CheckSync, document.CheckFail, "the sync has stopped")
	switchedAt(&e, noon.AddDate(0, 0, -1))
	check(t, Judge(e), CheckSync, document.CheckPass, "The sync has ended")
	e.Sync.Cycle.Failures = []document.Failure{{Error: "denied"}}
	check(t, Judge(e), CheckSync, document.CheckFail, "1 failure")
}

func TestPulls(t *testing.T) {
	e := world(image("a", "1", "v1"), image("b", "2", "v1"))
	check(t, Judge(e), CheckPulls, document.CheckPass, "2 repository not switched yet")
	switchedAt(&e, noon.AddDate(0, 0, -10))
	check(t, Judge(e), CheckPulls, document.CheckPass, "No image was pulled")

	e.Inventory.Source.Images[1].LastPulledAt = noon.AddDate(0, 0, -2)
	c := Judge(e)
	check(t, c, CheckPulls, document.CheckFail, "1 repository pulled since: b:v1", "aws cloudtrail lookup-events --region us-east-1")
	if len(c.Pullers) != 1 || c.Pullers[0].Own {
		t.Errorf("pullers: %+v", c.Pullers)
	}

	recorded := e
	recorded.Recorded = []document.RecordedPulls{{Registry: ecr, SeenAt: noon.AddDate(0, 0, -1)}}
	check(t, Judge(recorded), CheckPulls, document.CheckUnknown, "may have been those")
	recorded.Recorded[0].SeenAt = noon.AddDate(0, 0, -3)
	check(t, Judge(recorded), CheckPulls, document.CheckFail)

	open := e
	open.Pulls = []Pulls{{Registry: ecr, Principal: "me", Exclude: "aws ecr register"}}
	c = Judge(open)
	check(t, c, CheckPulls, document.CheckUnknown, "still records the pulls of me", "aws ecr register")
	if len(c.Recorded) != 1 || !c.Recorded[0].SeenAt.Equal(noon) {
		t.Errorf("recorded: %+v", c.Recorded)
	}

	denied := e
	denied.Pulls = []Pulls{{Registry: ecr, Err: errors.New("denied")}}
	check(t, Judge(denied), CheckPulls, document.CheckUnknown, "is not known: denied")
}

func TestLeave(t *testing.T) {
	e := world(image("a", "1", "v1"))
	e.Leave = true
	check(t, Judge(e), CheckPulls, document.CheckFail, "It is not known since when")
	switchedAt(&e, noon.AddDate(0, 0, -29))
	check(t, Judge(e), CheckPulls, document.CheckFail, "switched less than 30 day ago")
	switchedAt(&e, noon.AddDate(0, 0, -60))
	e.Inventory.Source.Images[0].LastPulledAt = noon.AddDate(0, 0, -50) // a straggler, mended since
	check(t, Judge(e), CheckPulls, document.CheckPass)
	check(t, Judge(e), CheckPushes, document.CheckPass)
	check(t, Judge(e), CheckLeftOut, document.CheckPass)
	e.Inventory.Source.Images[0].PushedAt = noon.AddDate(0, 0, -2)
	check(t, Judge(e), CheckPushes, document.CheckFail, "a:v1")
	if slices.ContainsFunc(Judge(e).Checks, func(c document.GateCheck) bool { return c.Name == CheckRollback }) {
		t.Error("who leaves ECR has no way back")
	}

	for rule, want := range map[string]document.CheckState{
		document.RuleArchived: document.CheckFail, document.RuleConflict: document.CheckFail, document.RuleNotSelected: document.CheckPass,
	} {
		e := world(image("a", "1", "v1"))
		e.Leave = true
		e.Inventory.Source.Images = append(e.Inventory.Source.Images, image("a", "2", "old"))
		e.Verification.Cases = []document.Case{{Kind: document.CaseExcluded, Source: ecr.Repository("a"), Tag: "old", SourceDigest: sha("2"), Rule: rule}}
		check(t, Judge(e), CheckLeftOut, want)
		e.Archived = true
		if rule == document.RuleArchived {
			want = document.CheckPass
		}
		check(t, Judge(e), CheckLeftOut, want)
	}
}

// TestNothingIsLost: whatever happened, what is called safe to delete is at the target, was proved, and nobody wanted it
// lately; and nothing is called so unless every check passed.
func TestNothingIsLost(t *testing.T) {
	opened := 0
	rapid.Check(t, func(t *rapid.T) {
		var images []document.SourceImage
		for n := range rapid.IntRange(1, 6).Draw(t, "images") {
			i := image(rapid.SampledFrom([]string{"a", "b"}).Draw(t, "repository"), fmt.Sprint(n), fmt.Sprint("v", n))
			images = append(images, i)
		}
		slices.SortFunc(images, func(a, b document.SourceImage) int { return a.URI.Compare(b.URI) })
		e := world(images...)
		e.Leave, e.Archived = true, rapid.Bool().Draw(t, "archived")
		e.Canaries = Canaries{Nodes: true, Pulled: []Canary{{Image: target("a"), Reference: "v0"}}}
		e.Files = &Files{Paths: []string{"."}}
		switchedAt(&e, noon.AddDate(0, 0, -rapid.IntRange(25, 60).Draw(t, "switched")))
		for n := range rapid.IntRange(0, 2).Draw(t, "events") {
			happen(t, &e, n)
		}
		c := Judge(e)
		if c.Open() {
			opened++
		}
		if !c.Open() && len(c.Removable) > 0 {
			t.Fatalf("the gate is closed, and %d repositories are said to be safe to delete", len(c.Removable))
		}
		count := 0
		for _, r := range c.Removable {
			count += len(r.Digests)
			for _, d := range r.Digests {
				safe(t, e, r.Source, d)
			}
		}
		if c.Open() && count+len(c.Retained) != len(e.Inventory.Source.Images) {
			t.Fatalf("%d images are safe, %d are not, of %d", count, len(c.Retained), len(e.Inventory.Source.Images))
		}
	})
	if opened == 0 {
		t.Error("the gate was never open")
	}
}

// happen changes something since the verification.
func happen(t *rapid.T, e *Evidence, n int) {
	at := rapid.IntRange(0, len(e.Inventory.Source.Images)-1).Draw(t, "at")
	i := &e.Inventory.Source.Images[at]
	ago := noon.AddDate(0, 0, -rapid.IntRange(0, 60).Draw(t, "ago"))
	switch rapid.SampledFrom([]string{"pull", "push", "lose", "new", "unverify", "archive", "retag"}).Draw(t, "event") {
	case "pull":
		i.LastPulledAt = ago
	case "push":
		i.PushedAt = ago
	case "lose":
		e.Inventory.Target.Images = slices.DeleteFunc(e.Inventory.Target.Images, func(o document.TargetImage) bool { return o.Digest == i.Digest })
	case "new":
		fresh := image(i.Name, fmt.Sprint("new", n), fmt.Sprint("new", n))
		fresh.PushedAt = ago
		e.Inventory.Source.Images = append(e.Inventory.Source.Images, fresh)
	case "unverify":
		for r := range e.Verification.Repositories {
			v := &e.Verification.Repositories[r]
			v.Digests = slices.DeleteFunc(v.Digests, func(d digest.Digest) bool { return d == i.Digest })
		}
	case "archive":
		i.Status = document.StatusArchived
	case "retag":
		i.Tags = append(i.Tags, fmt.Sprint("moved", n))
	}
}

func safe(t *rapid.T, e Evidence, r ref.Repository, d digest.Digest) {
	at := slices.IndexFunc(e.Inventory.Source.Images, func(i document.SourceImage) bool { return i.URI == r && i.Digest == d })
	if at < 0 {
		t.Fatalf("%s@%s is not in ECR", r, d)
	}
	i := e.Inventory.Source.Images[at]
	there := slices.ContainsFunc(e.Inventory.Target.Images, func(o document.TargetImage) bool { return o.URI == target(r.Name) && o.Digest == d })
	proved := slices.ContainsFunc(e.Verification.Repositories, func(v document.VerifiedRepository) bool { return v.Source == r && slices.Contains(v.Digests, d) })
	lately := noon.Add(-e.Quiet)
	if !there || !proved || i.LastPulledAt.After(lately) || i.PushedAt.After(lately) {
		t.Fatalf("%s@%s is not safe to delete: there %t, proved %t, pulled %s, pushed %s", r, d, there, proved, i.LastPulledAt, i.PushedAt)
	}
}

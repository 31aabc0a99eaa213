package report_test

import (
	"bytes"
	"fmt"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/opencontainers/go-digest"

	"transship/internal/cli/term"
	"transship/internal/document"
	"transship/internal/golden"
	"transship/internal/ref"
	"transship/internal/report"
)

var noon = time.Date(2026, 7, 1, 12, 0, 0, 0, time.UTC)

const (
	host   = "123456789012.dkr.ecr.us-east-1.amazonaws.com"
	target = "us-docker.pkg.dev/my-gcp-project/app-images"
)

func must[T any](v T, err error) T {
	if err != nil {
		panic(err)
	}
	return v
}

func source(name string) ref.Repository { return must(ref.ParseRepository(host + "/" + name)) }
func image(name string) ref.TargetImage { return must(ref.ParseTarget(target + "/" + name)) }
func sha(s string) digest.Digest        { return digest.FromString(s) }

func units() report.Units {
	return report.Units{Bytes: term.Bytes, Bits: term.Bits, Number: term.Number[int], Count: term.Count[int], Duration: term.Duration, Clean: term.Clean}
}

// evidence is of a migration without documents.
func evidence() report.Evidence {
	registry := source("any").Registry
	return report.Evidence{
		MadeAt: noon, Version: "transship 1.2.3", Units: units(), Migration: document.Migration{Sources: []ref.Registry{registry}, Target: target},
	}
}

// verified is what a verification says of one repository, with so many tags.
func verified(name string, tags int) document.VerifiedRepository {
	r := document.VerifiedRepository{Source: source(name), Target: image(name), VerifiedAt: noon.Add(-time.Hour)}
	for n := range tags {
		d := sha(name)
		r.Tags = append(r.Tags, document.VerifiedTag{Tag: fmt.Sprintf("1.%d", n), Digest: d})
		r.Digests = []digest.Digest{d}
	}
	return r
}

func planned(names ...string) *document.Plan {
	p := &document.Plan{Difference: document.Difference{TotalBytes: 1 << 30}}
	for _, name := range names {
		p.Images = append(p.Images, document.PlannedImage{Target: image(name), Sources: []ref.Repository{source(name)}})
	}
	return p
}

func TestVerdict(t *testing.T) {
	t.Parallel()
	proof := func(repositories ...document.VerifiedRepository) *document.Verification {
		return &document.Verification{Repositories: repositories}
	}
	wrong := func(missing, mismatched int) document.VerifiedRepository {
		r := verified("team/api", 2)
		r.Missing, r.Mismatched = missing, mismatched
		return r
	}
	before, after := noon.Add(-2*time.Hour), noon
	for _, c := range []struct {
		name  string
		make  func(*report.Evidence)
		state report.State
		says  string
	}{
		{"nothing verified", func(*report.Evidence) {}, report.StateUnproved, `run "transship verify"`},
		{"all verified", func(e *report.Evidence) { e.Verification, e.Plan = proof(verified("team/api", 2)), planned("team/api") }, report.StateComplete, "2 of 2 references"},
		{"missing", func(e *report.Evidence) { e.Verification = proof(wrong(1, 0)) }, report.StateIncomplete, "1 missing"},
		{"different", func(e *report.Evidence) { e.Verification = proof(wrong(0, 1)) }, report.StateIncomplete, "1 with another digest"},
		{"not listed", func(e *report.Evidence) {
			e.Verification = proof(verified("team/api", 2))
			e.Verification.Failures = []document.Failure{{Error: "denied"}}
		}, report.StateIncomplete, "1 listing failed"},
		{"planned and never verified", func(e *report.Evidence) {
			e.Verification, e.Plan = proof(verified("team/api", 2)), planned("team/api", "team/web")
		}, report.StateUnproved, "never verified"},
		{"copied before", func(e *report.Evidence) {
			e.Verification, e.Results = proof(verified("team/api", 2)), &document.Results{EndedAt: before, Success: 2, Failed: 1}
		}, report.StateComplete, "2 of 2"},
		{"copied after", func(e *report.Evidence) {
			e.Verification, e.Results = proof(verified("team/api", 2)), &document.Results{EndedAt: after, Success: 2}
		}, report.StateStale, "copied afterwards"},
		{"nothing to copy after", func(e *report.Evidence) {
			e.Verification, e.Results = proof(verified("team/api", 2)), &document.Results{EndedAt: after, Skipped: 2}
		}, report.StateComplete, "2 of 2"},
		{"copied after, then nothing to copy", func(e *report.Evidence) {
			e.Verification, e.Results = proof(verified("team/api", 2)), &document.Results{EndedAt: after, Skipped: 2}
			e.Runs = []document.Run{{Command: "copy", EndedAt: after, BytesRead: 5}}
		}, report.StateStale, "copied afterwards"},
		{"failed after", func(e *report.Evidence) {
			e.Verification, e.Results = proof(verified("team/api", 2)), &document.Results{EndedAt: after, Failed: 1}
		}, report.StateIncomplete, "failed for 1 reference"},
		{"a shard is open", func(e *report.Evidence) {
			e.Verification, e.Shards = proof(verified("team/api", 2)), []report.Shard{{Done: true}, {Index: 1, State: "missing"}}
		}, report.StateIncomplete, "1 of 2 shards"},
		{"no images", func(e *report.Evidence) { e.Verification, e.Plan = proof(), planned() }, report.StateEmpty, "no image in scope"},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			e := evidence()
			c.make(&e)
			v := report.New(e).Verdict
			if v.State != c.state || !strings.Contains(v.Sentence, c.says) {
				t.Errorf("the verdict is %q (%s), want %q that says %q", v.State, v.Sentence, c.state, c.says)
			}
		})
	}
}

func TestAWaveIsItsOwn(t *testing.T) {
	t.Parallel()
	e := evidence()
	other := verified("other/web", 3)
	other.Missing = 7
	e.Verification = &document.Verification{Repositories: []document.VerifiedRepository{verified("team/api", 2), other}, Cases: []document.Case{
		{Kind: document.CaseMissing, Source: source("other/web"), Tag: "gone"},
	}}
	e.Wave, e.InWave = "first", func(name string) bool { return strings.Contains(name, "/team/") }
	r := report.New(e)
	if r.Verdict.State != report.StateComplete || r.Verdict.References != 2 {
		t.Errorf("the wave is %q with %d references, want complete with 2", r.Verdict.State, r.Verdict.References)
	}
	for name, page := range pages(t, r) {
		if strings.Contains(page, "other/web") {
			t.Errorf("%s of the wave tells of another one's repository", name)
		}
	}
}

// everything has each document, and something wrong in each; its outside texts are hostile where hostile is set.
func everything(hostile string) report.Evidence {
	e := evidence()
	s := func(text string) string { return text + hostile }
	api := verified("team/api", 2)
	api.Missing, api.Excluded = 1, 1
	e.Verification = &document.Verification{Repositories: []document.VerifiedRepository{api, verified("team/web", 1)}, Cases: []document.Case{
		{Kind: document.CaseMissing, Source: source("team/api"), Tag: s("2.0"), SourceDigest: sha("2.0"), Cause: s("nobody copied it")},
		{Kind: document.CaseExcluded, Source: source("team/api"), Tag: s("old"), SourceDigest: sha("old"), Rule: document.RuleArchived, Cause: s("archived")},
	}}
	e.Inventory = &document.Inventory{Source: document.SourceInventory{Images: []document.SourceImage{
		{URI: source("team/api"), Digest: sha("team/api"), Tags: []string{"1.0"}, Size: 5 << 20}, {URI: source("team/web"), Digest: sha("team/web"), Size: 1 << 20},
	}}}
	e.Plan = planned("team/api", "team/web")
	e.Plan.Scope.Include = []string{s("team/**")}
	e.Results = &document.Results{StartedAt: noon.Add(-3 * time.Hour), EndedAt: noon.Add(-2 * time.Hour), Success: 3, Failed: 1, Failures: []document.Failure{
		{Source: source("team/api").String() + ":2.0", Class: "denied", Error: s("the target said no"), Hint: "ask for the role"},
	}, Kept: []document.Tag{{Target: image("team/api"), Tag: s("latest"), Digest: sha("theirs")}}, Traffic: document.Traffic{BytesRead: 6 << 20, BlobsRead: 9}}
	e.Governance = &document.Governance{Layout: "single", Repositories: []document.GovernedRepository{{Source: source("team/api"), Settings: []document.Translation{
		{Setting: document.SettingLifecycle, Item: "1", Was: s("delete after 30 days"), Fate: document.FateRefused, Reason: s("no such rule"), Decide: s("set it by hand")},
		{Setting: document.SettingScanning, Was: "on push", Becomes: "on push", Fate: document.FateExact},
	}}}, Access: []document.Grant{{Target: image("x").Repository, Principal: s("arn:aws:iam::1:root"), Decide: s("who is it")}}}
	e.Rewrite = &document.Rewriting{
		MadeAt: noon, Paths: []string{s("deploy")}, Files: 12, Written: true, Edits: []document.Reworded{{File: s("a.yaml"), Line: 3, From: s("old"), To: s("new")}},
		Findings: []document.Mention{{File: s("b.sh"), Line: 9, Kind: s("login"), Text: s("aws ecr get-login"), Why: s("a login"), Do: s("use gcloud")}},
	}
	e.Sync = &document.Sync{Cycle: document.SyncCycle{EndedAt: noon, Behind: 2}, Deletions: []document.SyncDeletion{{Target: image("team/api"), Tag: s("pr-1"), Digest: sha("pr"), SeenAt: noon}}, Held: []string{s("too many")}}
	e.Cutover = &document.Cutover{CheckedAt: noon, Fail: 1, Checks: []document.GateCheck{{Name: "verified", Title: s("Verified"), State: document.CheckFail, Evidence: []string{s("one is missing")}, Do: []string{s("copy")}}},
		SwitchedAt: noon, Pullers: []document.Puller{{Source: source("team/api"), At: noon, Digest: sha("old"), Tags: []string{s("v1")}, Own: true}},
		OnlyTarget: []document.TargetOnly{{Image: image("team/api"), Digest: sha("only"), Tags: []string{s("only")}}},
		Removable:  []document.Removable{{Source: source("team/api"), Whole: true, Bytes: 5 << 20, Digests: []digest.Digest{sha("gone")}}},
		Retained:   []document.Retained{{Source: source("team/api"), Digest: sha("kept"), Tags: []string{s("kept")}, Why: s("it was pulled")}},
	}
	e.Estimate = &document.Estimate{PricesAsOf: s("2026-06"), Assumptions: []string{s("nothing else runs.")}, Egress: []document.EstimatedEgress{
		{Source: source("any").Registry, Target: s("us-docker.pkg.dev"), Route: s("internet"), Bytes: 6 << 20, PerGB: .09, Cost: 1.5},
		{Source: source("any").Registry, Target: "europe-docker.pkg.dev", Route: "internet", Bytes: 1 << 10, PerGB: .09, Cost: .0001},
	}, Savings: []document.EstimatedSaving{{Reason: document.SavingUntagged, Unknown: s("nobody knows")}}, Loads: []document.EstimatedLoad{
		{Side: "source", Where: s(host), Kind: s("S3 GetObject"), Requests: 14_710},
		{Side: "target", Where: s("my-gcp-project in us"), Kind: "writes", Requests: 180_016, PerMinute: 18_000, Seconds: 600},
	}, Time: document.EstimatedTime{
		Bandwidth: 125_000_000, Origin: s("assumed"), TransferFor: 540, RequestsFor: 600, Total: 600, Bound: "quota", BoundBy: s("writes of my-gcp-project"), Machines: 2,
		AtBandwidths: []document.At{{Bandwidth: 12_500_000, Total: 4920, Bound: s("bandwidth")}}, QuotaRulesAt: 112_500_000,
	}}
	e.Runs = []document.Run{{
		Command: "copy", Version: s("1.2.3"), Settings: []string{s("--deep=true")}, StartedAt: noon.Add(-3 * time.Hour), EndedAt: noon.Add(-2 * time.Hour),
		Outcome: document.RunIncomplete, Summary: s("3 copied"), BytesRead: 6 << 20, Hosts: []document.HostTraffic{{Host: host, Requests: 40, Throttled: 3, Failed: 1}},
	}}
	e.Shards = []report.Shard{{State: "done", Done: true, Workspaces: []string{s("one")}}, {Index: 1, State: "missing"}}
	e.Unread = []report.Unread{{What: s("layout.json"), Why: s("it is damaged")}}
	return e
}

// pages are a report in both forms.
func pages(t *testing.T, r report.Report) map[string]string {
	t.Helper()
	var page, text bytes.Buffer
	if err := report.HTML(&page, r); err != nil {
		t.Fatal(err)
	}
	if err := report.Markdown(&text, r); err != nil {
		t.Fatal(err)
	}
	return map[string]string{"HTML": page.String(), "Markdown": text.String()}
}

func TestEverythingIsTold(t *testing.T) {
	t.Parallel()
	r := report.New(everything(""))
	all := pages(t, r)
	for _, want := range []string{
		"Incomplete", "3 of 4", "nobody copied it", "the target said no", "ask for the role", "archived in ECR", "set it by hand", "who is it", "b.sh", "use gcloud", "pr-1", "too many",
		"one is missing", "nothing else runs.", "$1.50", "14,710", "not known", "10 min 00 s", "1 Gbit/s, assumed", "the quota, writes of my-gcp-project: the bytes take 9 min 00 s", "100 Mbit/s", "1 h 22 min", "above 900 Mbit/s", "3 copied", "it is damaged", "team/web", "theirs",
	} {
		if want == "theirs" {
			want = sha("theirs").String()
		}
		for name, page := range all {
			if !strings.Contains(strings.ReplaceAll(page, `\`, ""), want) {
				t.Errorf("%s does not say %q", name, want)
			}
		}
	}
	if tone := r.Decisions[0].Tone; tone != report.Bad {
		t.Errorf("the first decision is %q, want what failed first", tone)
	}
	if len(r.Decisions) < 10 {
		t.Errorf("%d decisions, want one of each kind: %v", len(r.Decisions), r.Decisions)
	}
	for _, d := range r.Decisions {
		if !strings.Contains(all["HTML"], `id="`+d.Section+`"`) {
			t.Errorf("the decision %q leads to %q, which is not there", d.Text, d.Section)
		}
	}
	golden.Compare(t, "everything.md", all["Markdown"])
}

func TestNamesAreNoMarkup(t *testing.T) {
	t.Parallel()
	const hostile = "</script><script>alert(1)</script><img src=x onerror=alert(2)>|`| @octocat [x](http://evil.example) \x1b[31m\u202e"
	for name, page := range pages(t, report.New(everything(hostile))) {
		for _, bad := range []string{"<script>alert", "<img", "\x1b", "\u202e"} {
			if name == "Markdown" && bad != "\x1b" && bad != "\u202e" {
				page = withoutCode(page)
			}
			if strings.Contains(page, bad) {
				t.Errorf("%s has %q", name, bad)
			}
		}
		if name == "Markdown" {
			page = withoutCode(page)
			rowsAreWhole(t, page)
			if bad := regexp.MustCompile(`@octocat|[^\\]\]\(http`).FindString(page); bad != "" {
				t.Errorf("the Markdown has %q outside of code", bad)
			}
		}
	}
	page := pages(t, report.New(everything(hostile)))["HTML"]
	if n, want := strings.Count(page, "</script>"), strings.Count(page, "<script"); n != want {
		t.Errorf("%d scripts begin and %d end", want, n)
	}
}

// withoutCode is a text without what stands in backticks, which is shown as it is.
func withoutCode(text string) string {
	text = regexp.MustCompile("`` .*? ``").ReplaceAllString(text, "")
	return regexp.MustCompile("([^\\\\])`[^`\n]*`").ReplaceAllString(text, "$1")
}

// rowsAreWhole sees that no cell of a table breaks its row.
func rowsAreWhole(t *testing.T, text string) {
	t.Helper()
	bars, want := regexp.MustCompile(`(^|[^\\])\|`), 0
	for line := range strings.SplitSeq(text, "\n") {
		if !strings.HasPrefix(line, "|") {
			want = 0
			continue
		}
		n := len(bars.FindAllString(line, -1))
		if want == 0 {
			want = n
		}
		if n != want && !strings.HasPrefix(line, "|-") {
			t.Errorf("a row has %d bars, want %d: %s", n, want, line)
		}
	}
}

func TestThePageAsksNothingOfANetwork(t *testing.T) {
	t.Parallel()
	page := pages(t, report.New(everything("")))["HTML"]
	for _, bad := range []*regexp.Regexp{
		regexp.MustCompile(`(?i)\s(src|href|action|poster|background)\s*=\s*["']?(https?:)?//`), regexp.MustCompile(`(?i)url\(|@import`), regexp.MustCompile(`\b(fetch|XMLHttpRequest|WebSocket|EventSource|sendBeacon)\b`),
	} {
		if found := bad.FindString(page); found != "" {
			t.Errorf("the page has %q", found)
		}
	}
	if !strings.Contains(page, "default-src &#39;none&#39;") && !strings.Contains(page, "default-src 'none'") {
		t.Error("the page has no strict policy")
	}
}

func TestNothingIsAPageToo(t *testing.T) {
	t.Parallel()
	for name, page := range pages(t, report.New(report.Evidence{Units: units()})) {
		if !strings.Contains(page, "Not proved") {
			t.Errorf("%s of nothing does not say that nothing is proved", name)
		}
	}
}

func TestManyReferences(t *testing.T) {
	t.Parallel()
	e := evidence()
	e.Verification = &document.Verification{Repositories: []document.VerifiedRepository{verified("team/api", 60000)}}
	all := pages(t, report.New(e))
	if n := len(all["Markdown"]); n > 65536 {
		t.Errorf("the Markdown has %d bytes, more than a pull request takes", n)
	}
	if !strings.Contains(all["HTML"], "Only the first 50,000 rows are here") {
		t.Error("the page does not say that rows are left out")
	}
	if n := strings.Count(all["HTML"], "<td "); n > 1000 {
		t.Errorf("the page has %d cells before its script ran", n)
	}
}

func TestWithoutScriptsNothingIsCutOffUnsaid(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		missing, verified int
		says              string
	}{
		{0, 50, ""}, {60, 0, ""},
		{0, 60, "the first 50 of 60 rows. "},
		{70, 60, "the first 70 of 130 rows: all 70 that need attention"},
		{1200, 5, "the first 1000 of 1205 rows, of which 1200 need attention"},
	} {
		e := evidence()
		e.Verification = &document.Verification{Repositories: []document.VerifiedRepository{verified("team/api", c.verified)}}
		for n := range c.missing {
			e.Verification.Cases = append(e.Verification.Cases, document.Case{Kind: document.CaseMissing, Source: source("team/api"), Tag: fmt.Sprintf("gone-%d.", n)})
		}
		html := pages(t, report.New(e))["HTML"]
		if _, said, _ := strings.Cut(html, "<noscript>"); c.says == "" && said != "" || !strings.Contains(said, c.says) {
			t.Errorf("with %d missing and %d verified the page says %.200q, want %q", c.missing, c.verified, said, c.says)
		}
		if last := fmt.Sprintf(">gone-%d.<", min(c.missing, 1000)-1); c.missing > 0 && !strings.Contains(html, last) {
			t.Errorf("with %d missing the page has no row of %q", c.missing, last)
		}
	}
}

func TestWhatTwoSourcesHoldCountsOnce(t *testing.T) {
	t.Parallel()
	e := evidence()
	replica := verified("team/api", 2)
	replica.Source.Registry.Region = "eu-west-1"
	e.Verification = &document.Verification{Repositories: []document.VerifiedRepository{verified("team/api", 2), replica}}
	if v := report.New(e).Verdict; v.Verified != 2 {
		t.Errorf("%d references are verified, want 2: both sources hold the same", v.Verified)
	}
}

package e2e

import (
	"context"
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/chromedp/cdproto/emulation"
	"github.com/chromedp/cdproto/log"
	"github.com/chromedp/cdproto/network"
	"github.com/chromedp/cdproto/page"
	"github.com/chromedp/cdproto/runtime"
	"github.com/chromedp/chromedp"
	"github.com/opencontainers/go-digest"

	"transship/internal/document"
	"transship/internal/ref"
)

// browser is a page in a headless Chromium, with what it complained about and whom it asked.
type browser struct {
	t       *testing.T
	ctx     context.Context //nolint:containedctx // it is what chromedp calls a tab
	mu      sync.Mutex
	trouble []string
}

// browse opens the file at path. Without a Chromium the test is skipped.
func browse(t *testing.T, path string) *browser {
	t.Helper()
	program := ""
	for _, name := range []string{"chromium", "chromium-browser", "google-chrome", "headless-shell"} {
		if found, err := exec.LookPath(name); err == nil {
			program = found
			break
		}
	}
	if program == "" {
		t.Skip("no Chromium on the PATH: install it, as .ci/run does, to have the report looked at")
	}
	ctx, cancel := context.WithTimeout(t.Context(), 2*time.Minute)
	t.Cleanup(cancel)
	ctx, cancel = chromedp.NewExecAllocator(ctx, append(chromedp.DefaultExecAllocatorOptions[:], chromedp.ExecPath(program), chromedp.NoSandbox, chromedp.DisableGPU)...)
	t.Cleanup(cancel)
	ctx, cancel = chromedp.NewContext(ctx)
	t.Cleanup(cancel)
	b := &browser{t: t, ctx: ctx}
	chromedp.ListenTarget(ctx, b.listen)
	b.run(network.Enable(), log.Enable(), chromedp.Navigate("file://"+path))
	return b
}

// listen keeps what a report must not do.
func (b *browser) listen(event any) {
	b.mu.Lock()
	defer b.mu.Unlock()
	switch e := event.(type) {
	case *runtime.EventExceptionThrown:
		b.trouble = append(b.trouble, "exception: "+e.ExceptionDetails.Error())
	case *runtime.EventConsoleAPICalled:
		b.trouble = append(b.trouble, fmt.Sprintf("console.%s", e.Type))
	case *log.EventEntryAdded:
		b.trouble = append(b.trouble, "log: "+e.Entry.Text)
	case *network.EventRequestWillBeSent:
		if u := e.Request.URL; !strings.HasPrefix(u, "file://") && !strings.HasPrefix(u, "data:") {
			b.trouble = append(b.trouble, "request: "+u)
		}
	}
}

func (b *browser) run(actions ...chromedp.Action) {
	b.t.Helper()
	if err := chromedp.Run(b.ctx, actions...); err != nil {
		b.t.Fatal(err)
	}
}

// evaluate runs an expression in the page.
func evaluate[T any](b *browser, expression string) (out T) {
	b.t.Helper()
	b.run(chromedp.Evaluate(expression, &out))
	return out
}

// wantQuiet wants that the page had no errors and asked nobody.
func (b *browser) wantQuiet() {
	b.t.Helper()
	b.mu.Lock()
	defer b.mu.Unlock()
	for _, s := range b.trouble {
		b.t.Errorf("the page did what it must not: %s", s)
	}
}

// show sets the width of the window and the colours.
func (b *browser) show(width int64, colours string) {
	b.t.Helper()
	b.run(emulation.SetDeviceMetricsOverride(width, 900, 1, false),
		emulation.SetEmulatedMedia().WithFeatures([]*emulation.MediaFeature{{Name: "prefers-color-scheme", Value: colours}}))
}

// fits finds what is wider than the window, or cut off.
const fits = `(() => {
  const out = [];
  if (document.documentElement.scrollWidth > innerWidth) out.push("the page scrolls sideways: " + document.documentElement.scrollWidth);
  for (const e of document.querySelectorAll("body *")) {
    if (e.closest(".skip, .hidden, script, noscript") || e.tagName === "CODE") continue;
    const box = e.getBoundingClientRect();
    if (box.width > 0 && (box.right > innerWidth + 1 || box.left < -1)) out.push("sticks out: " + e.tagName + "." + e.className + " " + e.textContent.slice(0, 40));
    if (e.clientWidth > 0 && e.scrollWidth > e.clientWidth + 1 && getComputedStyle(e).overflowX !== "visible") out.push("is cut off: " + e.tagName + "." + e.className);
  }
  return out.slice(0, 10);
})()`

// pale finds text whose contrast is less than WCAG's 4.5.
const pale = `(() => {
  const channels = (c) => c.match(/[\d.]+/g).map(Number);
  const light = ([r, g, b]) => { const [x, y, z] = [r, g, b].map((v) => (v /= 255) <= .03928 ? v / 12.92 : ((v + .055) / 1.055) ** 2.4); return .2126 * x + .7152 * y + .0722 * z; };
  const ground = (e) => { for (; e; e = e.parentElement) { const c = channels(getComputedStyle(e).backgroundColor); if (c.length < 4 || c[3] === 1) return c; } return [255, 255, 255]; };
  const out = new Set();
  for (const e of document.querySelectorAll("body *")) {
    if (![...e.childNodes].some((n) => n.nodeType === 3 && n.textContent.trim()) || e.closest("script, noscript, button:disabled") || e.getClientRects().length === 0) continue;
    const [a, b] = [light(channels(getComputedStyle(e).color)), light(ground(e))].sort((x, y) => y - x);
    const contrast = (a + .05) / (b + .05);
    if (contrast < 4.5) out.add(e.tagName + "." + e.className + ": " + contrast.toFixed(2));
  }
  return [...out];
})()`

// barriers finds what stands in the way of a keyboard or a screen reader.
const barriers = `(() => {
  const out = [], want = (ok, text) => ok || out.push(text);
  const name = (e) => (e.getAttribute("aria-label") || (e.labels && [...e.labels].map((l) => l.textContent).join(" ")) || e.textContent).trim();
  want(document.documentElement.lang === "en", "the page has no language");
  want(document.title.trim() !== "", "the page has no title");
  for (const landmark of ["header", "main", "nav", "footer"]) want(document.querySelectorAll("body > " + landmark + ", main > " + landmark).length === 1, "not one " + landmark);
  want(document.querySelectorAll("h1").length === 1, "not one h1");
  let level = 1;
  for (const h of document.querySelectorAll("h1, h2, h3, h4")) { const n = +h.tagName[1]; want(n <= level + 1, "a heading skips a level: " + h.textContent); level = n; }
  const ids = [...document.querySelectorAll("[id]")].map((e) => e.id);
  want(new Set(ids).size === ids.length, "an id is there twice");
  for (const a of document.querySelectorAll("a[href^='#']")) want(document.getElementById(a.getAttribute("href").slice(1)), "a link leads nowhere: " + a.getAttribute("href"));
  for (const e of document.querySelectorAll("button, input, a")) want(name(e) !== "", "nameless: " + e.outerHTML.slice(0, 80));
  for (const l of document.querySelectorAll("[aria-labelledby]")) want(document.getElementById(l.getAttribute("aria-labelledby")), "labelled by nothing: " + l.id);
  for (const t of document.querySelectorAll("table")) {
    want(t.caption && t.caption.textContent.trim() !== "", "a table without a caption: " + t.id);
    for (const h of t.tHead.rows[0].cells) want(h.scope === "col" && h.querySelector("button"), "a head without scope or button: " + h.textContent);
  }
  return out;
})()`

// wantGood looks at the page in three widths, light and dark.
func (b *browser) wantGood() {
	b.t.Helper()
	for _, width := range []int64{360, 768, 1280} {
		for _, colours := range []string{"light", "dark"} {
			b.show(width, colours)
			for _, problem := range slices.Concat(evaluate[[]string](b, fits), evaluate[[]string](b, pale)) {
				b.t.Errorf("at %d pixels, %s: %s", width, colours, problem)
			}
		}
	}
	b.run(emulation.SetDeviceMetricsOverride(718, 1000, 1, false), emulation.SetEmulatedMedia().WithMedia("print")) // A4, without margins
	for _, problem := range slices.Concat(evaluate[[]string](b, fits), evaluate[[]string](b, pale)) {
		b.t.Errorf("on paper: %s", problem)
	}
	b.run(emulation.SetEmulatedMedia().WithMedia(""))
	for _, problem := range evaluate[[]string](b, barriers) {
		b.t.Error(problem)
	}
	b.wantQuiet()
}

// wantNoViolations has axe-core look at the page, where npm can bring it.
func (b *browser) wantNoViolations() {
	b.t.Helper()
	dir := b.t.TempDir()
	pack := exec.Command("npm", "pack", "--silent", "axe-core@4.14.1")
	pack.Dir = dir
	if out, err := pack.CombinedOutput(); err != nil {
		b.t.Logf("axe-core is not to be had, so it did not look: %v %.200s", err, out)
		return
	}
	unpack := exec.Command("tar", "-xzf", "axe-core-4.14.1.tgz", "package/axe.min.js")
	unpack.Dir = dir
	if out, err := unpack.CombinedOutput(); err != nil {
		b.t.Fatalf("%v: %s", err, out)
	}
	axe, err := os.ReadFile(filepath.Join(dir, "package", "axe.min.js"))
	if err != nil {
		b.t.Fatal(err)
	}
	for _, colours := range []string{"light", "dark"} {
		b.show(1280, colours)
		var violations []string
		b.run(chromedp.Evaluate(string(axe)+"; 0", nil), chromedp.Evaluate(
			`axe.run().then((r) => r.violations.map((v) => v.id + ": " + v.help + ": " + v.nodes.slice(0, 3).map((n) => n.html.slice(0, 160)).join(" | ")))`,
			&violations, func(p *runtime.EvaluateParams) *runtime.EvaluateParams { return p.WithAwaitPromise(true) }))
		for _, v := range violations {
			b.t.Errorf("axe-core, %s: %s", colours, v)
		}
	}
}

// TestReportOfTheDemo looks at the page that a newcomer sees first.
func TestReportOfTheDemo(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	env := append(inherited(), "HOME="+t.TempDir(), "NO_COLOR=1")
	runIn(t, dir, env, os.Getenv("TRANSSHIP_BIN"), "demo", "-w", "shown").wantCode(t, "transship demo", 0)
	b := browse(t, filepath.Join(dir, "shown", "report.html"))
	if got := evaluate[string](b, `document.querySelector("h1").textContent`); got != "Complete" {
		t.Errorf("the verdict is %q, want Complete", got)
	}
	text := evaluate[string](b, "document.body.innerText")
	for _, want := range []string{"270 of 270 references verified", "What must I decide?", "archived in ECR", "payments/ledger", "Requests and throttling", "us-docker.pkg.dev"} {
		if !strings.Contains(text, want) {
			t.Errorf("the page does not say %q", want)
		}
	}
	b.show(1280, "light")
	if bottom := evaluate[float64](b, `document.querySelector(".decisions li").getBoundingClientRect().bottom`); bottom > 900 {
		t.Errorf("the first decision ends at %.0f pixels, below the first screen", bottom)
	}
	b.wantGood()
	b.run(chromedp.KeyEvent("\t"))
	if got := evaluate[string](b, "document.activeElement.className"); got != "skip" {
		t.Errorf("the first stop of the keyboard is %q, want the way to the report", got)
	}
	b.wantNoViolations()
}

// TestReportOfManyImages sorts and filters 10,000 references, some of which are wrong and have names of markup.
func TestReportOfManyImages(t *testing.T) {
	t.Parallel()
	path := manyImages(t, 1)
	b := browse(t, path)
	const table = `document.getElementById("verification-rows")`
	rows := func() []string {
		return evaluate[[]string](b, `[...`+table+`.tBodies[0].rows].map((r) => [...r.cells].map((c) => c.textContent).join(" "))`)
	}
	if first := rows()[0]; !strings.Contains(first, "missing") || !strings.Contains(first, "<img src=x onerror=alert(1)>") {
		t.Errorf("the first row is %q, want the missing one, its name as it is", first)
	}
	click := func(head int) {
		b.run(chromedp.Evaluate(fmt.Sprintf(`%s.tHead.rows[0].cells[%d].querySelector("button").click()`, table, head), nil))
	}
	began := time.Now()
	click(2)
	up := rows()[0]
	click(2)
	down := rows()[0]
	b.filter("TAG-09999 verified")
	found := rows()
	if took := time.Since(began); took > 5*time.Second {
		t.Errorf("sorting twice and filtering 10,000 rows took %s", took)
	}
	if !strings.Contains(down, "tag-09999") || strings.Contains(up, "tag-09999") {
		t.Errorf("sorted by tag, it begins with %q up and %q down", up, down)
	}
	if sort := evaluate[string](b, table+`.tHead.rows[0].cells[2].getAttribute("aria-sort")`); sort != "descending" {
		t.Errorf("aria-sort is %q", sort)
	}
	if len(found) != 1 || !strings.Contains(found[0], "tag-09999") {
		t.Errorf("the filter finds %q", found)
	}
	b.filter("no such words")
	if n := len(rows()); n != 0 || !strings.Contains(evaluate[string](b, `document.getElementById("verification").innerText`), "No row has these words") {
		t.Errorf("%d rows for words that none has", n)
	}
	b.filter("")
	if n := len(rows()); n == 0 || n > 200 {
		t.Errorf("%d rows are in the page at once", n)
	}
	b.wantGood()
}

// TestReportOnPaper prints a long table: as much of it as somebody leafs through, with what is cut off.
func TestReportOnPaper(t *testing.T) {
	t.Parallel()
	path := manyImages(t, 70)
	if info, err := os.Stat(path); err != nil || info.Size() > 4<<20 {
		t.Errorf("the page of 10,000 images is too large for an attachment: %v %v", info, err)
	}
	b := browse(t, path)
	const sheet = `document.getElementById("verification-rows-sheet")`
	rows := func() int { return evaluate[int](b, sheet+".querySelectorAll('tbody tr').length") }
	medium := func(name string) { // the page hears of it with its next frame
		b.run(emulation.SetEmulatedMedia().WithMedia(name), chromedp.Evaluate(`new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(() => done(0))))`, nil,
			func(p *runtime.EvaluateParams) *runtime.EvaluateParams { return p.WithAwaitPromise(true) }))
	}
	wantPaper := func(n int, says string) {
		t.Helper()
		medium("print")
		if got := rows(); got != n {
			t.Errorf("%d rows are on paper, want %d", got, n)
		}
		if got := evaluate[string](b, `(() => { const p = `+sheet+`.querySelector(".on-paper"); return p.checkVisibility() ? p.innerText : ""; })()`); got != says {
			t.Errorf("on paper it says %q, want %q", got, says)
		}
		medium("")
		if got := rows(); got > 50 {
			t.Errorf("%d rows are in the page after it was printed", got)
		}
	}
	wantPaper(1000, "On paper: 1,000 of 10,070 rows; 9,070 are cut off, which the page has in a browser.")
	b.filter("gone-")
	wantPaper(69, "On paper: 69 of 10,070 rows, of 69 with the words “gone-”.")
	b.filter("")

	var pdf []byte
	b.run(chromedp.ActionFunc(func(ctx context.Context) (err error) {
		pdf, _, err = page.PrintToPDF().WithPrintBackground(true).Do(ctx)
		return err
	}))
	if n := len(regexp.MustCompile(`/Type\s*/Page\b`).FindAll(pdf, -1)); n < 12 || n > 80 {
		t.Errorf("1,000 rows are on %d pages", n)
	}
	if got := rows(); got != 50 {
		t.Errorf("%d rows are in the page after it was printed, want 50", got)
	}
	b.wantQuiet()
}

// TestReportWithoutScripts reads a page whose script does not run: what needs attention is there in full.
func TestReportWithoutScripts(t *testing.T) {
	t.Parallel()
	path := manyImages(t, 70)
	b := browse(t, path)
	b.run(emulation.SetScriptExecutionDisabled(true), chromedp.Reload())
	text := evaluate[string](b, `document.getElementById("verification").innerText`)
	for _, want := range []string{"<img src=x onerror=alert(1)>", "gone-0069", "these are the first 70 of 10070 rows: all 70 that need attention are among them", "the documents of the workspace have them, too"} {
		if !strings.Contains(text, want) {
			t.Errorf("without scripts the page does not say %q", want)
		}
	}
	if n := evaluate[int](b, `document.querySelectorAll("input, .tools, th button").length`); n > 0 {
		t.Errorf("%d controls do nothing without scripts", n)
	}
	b.show(360, "light")
	for _, problem := range slices.Concat(evaluate[[]string](b, fits), evaluate[[]string](b, pale)) {
		t.Errorf("without scripts: %s", problem)
	}
}

// TestReportOfTrouble looks at a page where everything went wrong, with names as long as they can be.
func TestReportOfTrouble(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	writeVerification(t, filepath.Join(dir, "verify.json"), 30, 1)
	long := strings.Repeat("a-very-long-name/", 14) + "end"
	source, err := ref.ParseRepository(from + "/team/api")
	if err != nil {
		t.Fatal(err)
	}
	image, err := ref.ParseTarget(target + "/" + long)
	if err != nil {
		t.Fatal(err)
	}
	migration := document.Migration{Sources: []ref.Registry{source.Registry}, Target: target}
	header := func(kind document.Kind) document.Header { return document.NewHeader(kind, migration) }
	d, now := digest.FromString(long), time.Now().UTC()
	for name, doc := range map[string]any{
		"results.json": document.Results{Header: header(document.KindResults), StartedAt: now, EndedAt: now, Success: 1, Failed: 1, Failures: []document.Failure{
			{Source: from + "/" + long + "@" + d.String(), Class: "denied", Error: "denied: " + long, Hint: "ask for roles/artifactregistry.writer"},
		}, Kept: []document.Tag{{Target: image, Tag: strings.Repeat("t", 128), Digest: d}}},
		"rewrite.json": document.Rewriting{Header: header(document.KindRewrite), MadeAt: now, Paths: []string{long}, Written: true, Files: 3,
			Edits:    []document.Reworded{{File: long, Line: 12345, From: from + "/" + long, To: image.String()}},
			Findings: []document.Mention{{File: long, Line: 12345, Kind: "login", Text: "aws ecr get-login-password " + d.String(), Why: long, Do: long}}},
		"sync.json": document.Sync{Header: header(document.KindSync), Cycle: document.SyncCycle{StartedAt: now, EndedAt: now, Behind: 3},
			Deletions: []document.SyncDeletion{{Target: image, Tag: "pr-1", Digest: d, SeenAt: now}}, Held: []string{long}},
		"cutover.json": document.Cutover{Header: header(document.KindCutover), CheckedAt: now, Fail: 1, Unknown: 1, Checks: []document.GateCheck{
			{Name: "verified", Title: "Verified", State: document.CheckFail, Evidence: []string{long, "and more"}, Do: []string{long}}, {Name: "pulls", Title: "Nobody pulls", State: document.CheckUnknown},
		}},
		"estimate.json": document.Estimate{Header: header(document.KindEstimate), MadeAt: now, PricesAsOf: "2026-06", Assumptions: []string{long},
			Egress:  []document.EstimatedEgress{{Source: source.Registry, Target: targetHost, Route: "us-east-1 to the internet", Bytes: 1 << 42, PerGB: .09, Cost: 395.82}},
			Storage: []document.EstimatedStorage{{Target: image.Repository, After: 1 << 42, Monthly: 439.80}},
			Savings: []document.EstimatedSaving{{Reason: document.SavingUntagged, Images: 12, Bytes: 1 << 40, Flag: "--tagged-only"}, {Reason: document.SavingExpired, Unknown: long}}},
	} {
		if err := document.Write(filepath.Join(dir, name), doc); err != nil {
			t.Fatal(err)
		}
	}
	run := document.Run{Migration: migration, Command: "copy", Version: "1.2.3", Settings: []string{"--first=" + long}, StartedAt: now, EndedAt: now, Outcome: document.RunFailed, Error: long,
		Hosts: []document.HostTraffic{{Host: from, Requests: 1 << 30, Throttled: 1 << 20, Failed: 9}}}
	if err := document.AppendRun(filepath.Join(dir, "history.jsonl"), run); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(dir, "plan.json"), []byte(`{"formatVersion": 1, "kin`), 0o600); err != nil {
		t.Fatal(err)
	}
	runIn(t, dir, inherited(), os.Getenv("TRANSSHIP_BIN"), "report", "-w", dir).wantCode(t, "transship report", 0)
	b := browse(t, filepath.Join(dir, "report.html"))
	text := evaluate[string](b, "document.body.innerText")
	for _, want := range []string{"Incomplete", "What failed", "What could not be read", "plan.json cannot be read", "Is it safe to switch?", "$395.82", "ask for roles/artifactregistry.writer"} {
		if !strings.Contains(text, want) {
			t.Errorf("the page does not say %q", want)
		}
	}
	if first := evaluate[string](b, `document.querySelector(".decisions li").innerText`); !strings.Contains(strings.ToUpper(first), "MEND") {
		t.Errorf("the first thing to decide is %q, want what failed", first)
	}
	b.wantGood()
	b.wantNoViolations()
}

// manyImages is the report of 10,000 tags, and of some that are missing.
func manyImages(t *testing.T, missing int) string {
	t.Helper()
	dir := t.TempDir()
	writeVerification(t, filepath.Join(dir, "verify.json"), 10000, missing)
	runIn(t, dir, inherited(), os.Getenv("TRANSSHIP_BIN"), "report", "-w", dir).wantCode(t, "transship report", 0)
	return filepath.Join(dir, "report.html")
}

// filter shows only the rows of the verification with the words.
func (b *browser) filter(words string) {
	b.t.Helper()
	b.run(chromedp.Evaluate(fmt.Sprintf(`{const f = document.getElementById("verification-rows-filter"); f.value = %q; f.dispatchEvent(new Event("input"));}`, words), nil))
}

// writeVerification writes a verification of n tags, and of some that are missing.
func writeVerification(t *testing.T, path string, n, missing int) {
	t.Helper()
	source, err := ref.ParseRepository(from + "/team/api")
	if err != nil {
		t.Fatal(err)
	}
	image, err := ref.ParseTarget(target + "/team/api")
	if err != nil {
		t.Fatal(err)
	}
	r := document.VerifiedRepository{Source: source, Target: image, VerifiedAt: time.Now().UTC(), Missing: missing}
	for i := range n {
		r.Tags = append(r.Tags, document.VerifiedTag{Tag: fmt.Sprintf("tag-%05d", i), Digest: digest.FromString(fmt.Sprint(i))})
	}
	v := document.Verification{
		Header:   document.NewHeader(document.KindVerification, document.Migration{Sources: []ref.Registry{source.Registry}, Target: target}),
		Verified: n, Missing: missing, Repositories: []document.VerifiedRepository{r},
	}
	for i := range missing {
		tag := "<img src=x onerror=alert(1)>"
		if i > 0 {
			tag = fmt.Sprintf("gone-%04d", i)
		}
		v.Cases = append(v.Cases, document.Case{Kind: document.CaseMissing, Source: source, Target: image.String(), Tag: tag, SourceDigest: digest.FromString("x"), Cause: "nobody copied it"})
	}
	b, err := json.Marshal(v)
	if err == nil {
		err = os.WriteFile(path, b, 0o600)
	}
	if err != nil {
		t.Fatal(err)
	}
}

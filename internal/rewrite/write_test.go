package rewrite

import (
	"bytes"
	"context"
	"errors"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/opencontainers/go-digest"

	"transship/internal/document"
	"transship/internal/ref"
	"transship/internal/references"
	"transship/internal/rewrite/mention"
	"transship/internal/rewrite/proved"
	"transship/internal/rewrite/tree"
)

// A changed file keeps its mode, an untouched one is not touched at all.
func TestModesAndTimesStay(t *testing.T) {
	t.Parallel()
	dir := plant(t, map[string]string{"run.sh": "docker pull " + h + "/team/web:v1x\nX=" + h + "/team/api:1.4.2\n", "other.yaml": "image: nginx\n", "left.yaml": h + "/team/none:1"})
	old := time.Date(2020, 1, 2, 3, 4, 5, 6, time.UTC)
	for name, mode := range map[string]os.FileMode{"run.sh": 0o755, "other.yaml": 0o640, "left.yaml": 0o604} {
		path := filepath.Join(dir, name)
		if err := errors.Join(os.Chmod(path, mode), os.Chtimes(path, old, old)); err != nil {
			t.Fatal(err)
		}
	}
	run(t, dir, Config{Write: true})
	for name, mode := range map[string]os.FileMode{"run.sh": 0o755, "other.yaml": 0o640, "left.yaml": 0o604} {
		info, err := os.Stat(filepath.Join(dir, name))
		if err != nil || runtime.GOOS != "windows" && info.Mode().Perm() != mode || name != "run.sh" && !info.ModTime().Equal(old) {
			t.Errorf("%s: %v %v, %v", name, info.Mode(), info.ModTime(), err)
		}
	}
	if got := files(t, dir); len(got) != 3 || !strings.Contains(got["run.sh"], target+"/team/api:1.4.2") {
		t.Errorf("%q", got)
	}
}

// changeOf is the change of the only file of a tree, before it is made.
func changeOf(t *testing.T, text string) (dir string, c *change) {
	t.Helper()
	dir = plant(t, map[string]string{"x.yaml": text})
	one, err := tree.Open(dir)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = one.Close() })
	s := newScan(Config{Known: known(t), Workers: 1})
	s.walk(t.Context(), one, nil)
	if _, changes := s.report(); len(changes) == 1 {
		return dir, changes[0]
	}
	t.Fatal("no change")
	return "", nil
}

// Whatever happens between the reading and the end of the writing, a file is changed whole, or is what it was or what
// somebody else made of it, and nothing is left beside it.
func TestTroubleWhileWriting(t *testing.T) {
	t.Parallel()
	text := "image: " + h + "/team/api:1.4.2\n"
	for name, test := range map[string]struct {
		before func(path string) error
		spoil  func(dir *os.Root, name string)
		want   error
		left   string
	}{
		"changed": {before: func(path string) error { return os.WriteFile(path, []byte("new: text\n"), 0o600) }, want: errChanged, left: "new: text\n"},
		"gone":    {before: os.Remove, want: os.ErrNotExist},
		"another": {before: func(path string) error {
			return errors.Join(os.WriteFile(path+"2", []byte(text), 0o600), os.Rename(path+"2", path))
		}, want: errChanged, left: text},
		"several names": {before: func(path string) error { return os.Link(path, filepath.Join(filepath.Dir(path), ".other")) }, want: errLinks, left: text},
		"mode":          {before: func(path string) error { return os.Chmod(path, 0o400) }, want: errChanged, left: text},
		"spoiled": {spoil: func(dir *os.Root, name string) {
			file, err := dir.OpenFile(name, os.O_WRONLY, 0)
			if err == nil {
				_, err = file.WriteAt([]byte("X"), 3)
			}
			if err = errors.Join(err, file.Close()); err != nil {
				panic(err)
			}
		}, want: errUnproved, left: text},
		"cut": {spoil: func(dir *os.Root, name string) {
			file, err := dir.OpenFile(name, os.O_WRONLY|os.O_TRUNC, 0)
			if err = errors.Join(err, file.Close()); err != nil {
				panic(err)
			}
		}, want: errUnproved, left: text},
		"changed at the last moment": {spoil: func(dir *os.Root, _ string) {
			if err := dir.WriteFile("x.yaml", []byte("theirs, longer than before, whatever it is: "+text), 0o600); err != nil {
				panic(err)
			}
		}, want: errChanged, left: "theirs, longer than before, whatever it is: " + text},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			dir, c := changeOf(t, text)
			path := filepath.Join(dir, "x.yaml")
			if test.before != nil {
				if err := test.before(path); err != nil {
					t.Fatal(err)
				}
			}
			if err := c.write(test.spoil); !errors.Is(err, test.want) {
				t.Errorf("%v, not %v", err, test.want)
			}
			got := files(t, dir)
			delete(got, ".other")
			want := map[string]string{"x.yaml": test.left}
			if test.left == "" {
				want = map[string]string{}
			}
			if d := cmp.Diff(want, got); d != "" {
				t.Error(d)
			}
		})
	}
}

// What was put into its place and is then not what was proved is put back.
func TestConfirmRestores(t *testing.T) {
	t.Parallel()
	text := "image: " + h + "/team/api:1.4.2\n"
	dir, c := changeOf(t, text)
	path := filepath.Join(dir, "x.yaml")
	src, err := os.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	defer src.Close()
	if err := errors.Join(os.WriteFile(path+"2", []byte("image: spoiled\n"), 0o600), os.Rename(path+"2", path)); err != nil {
		t.Fatal(err)
	}
	place, err := c.tree.Reach("x.yaml")
	if err != nil {
		t.Fatal(err)
	}
	defer place.Dir.Close()
	if err := c.confirm(place, src, c.info); !errors.Is(err, errUnproved) {
		t.Error(err)
	}
	if d := cmp.Diff(map[string]string{"x.yaml": text}, files(t, dir)); d != "" {
		t.Error(d)
	}
}

// A failure of one file is told, and the others go on. Without a record nothing is changed.
func TestOneFailureIsNotTheEnd(t *testing.T) {
	t.Parallel()
	text := "image: " + h + "/team/api:1.4.2\n"
	dir := plant(t, map[string]string{"a.yaml": text, "b.yaml": text, "c.yaml": text})
	r := run(t, dir, Config{Write: true, Record: func(Report) error { return os.Link(filepath.Join(dir, "b.yaml"), filepath.Join(dir, "z")) }})
	if want := []string{"b.yaml:1 unwritten"}; !slices.Equal(kinds(r), want) || len(r.Edits) != 2 || r.Changed() != 2 {
		t.Errorf("%v %v", r.Edits, r.Findings)
	}
	failed := errors.New("no record")
	dir = plant(t, map[string]string{"a.yaml": text})
	if _, err := Run(t.Context(), Config{Paths: []string{dir}, Known: known(t), Write: true, Record: func(Report) error { return failed }}); !errors.Is(err, failed) {
		t.Error(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := Run(ctx, Config{Paths: []string{dir}, Known: known(t), Write: true}); !errors.Is(err, context.Canceled) {
		t.Error(err)
	}
	if got := files(t, dir)["a.yaml"]; got != text {
		t.Errorf("%q", got)
	}
}

// Judges: what is kept stays, the first of two edits wins, and parts of one reference go together.
func TestMerge(t *testing.T) {
	t.Parallel()
	text := "keep: " + h + "/team/api:1.4.2\nedit: " + h + "/team/web:v1\nsilent: " + h + "/team/api:v1\nfree: " + h + "/team/worker:v1\nregistry: R\nrepository: S\n"
	at := func(s string) mention.Span {
		i := strings.Index(text, s)
		return mention.Span{Start: i, End: i + len(s)}
	}
	line := func(n int) mention.Span {
		lines := strings.SplitAfter(text, "\n")
		start := len(strings.Join(lines[:n-1], ""))
		return mention.Span{Start: start, End: start + len(lines[n-1])}
	}
	always := func([]byte) bool { return true }
	judge := func(j mention.Judgement) Judge {
		return Judge{Marked: always, Judge: func(mention.File, mention.Oracle, mention.Tree) mention.Judgement { return j }}
	}
	of := references.Name{Repository: source.Repository("x")}
	first := judge(mention.Judgement{
		Edits: []mention.Edit{{Span: at(h + "/team/web"), New: "FIRST", Of: of}, {Span: at("R\n"), New: "R2\n", Of: of, Group: 1}, {Span: at("S\n"), New: "S2\n", Of: of, Group: 1}},
	})
	second := judge(mention.Judgement{
		Edits: []mention.Edit{{Span: at("edit: " + h), New: "SECOND", Of: of}},
		Keep: []mention.Kept{
			{Span: line(1), Finding: mention.Finding{Kind: mention.AWSOnly, Why: "w", Do: "d"}}, {Span: line(3)}, {Span: at("S\n")},
		},
		Findings: []mention.Finding{{Line: 3, Kind: mention.Login, Text: "\x1b[31mx\n"}},
	})
	third := judge(mention.Judgement{Findings: []mention.Finding{{Line: 3, Kind: mention.HostOnly}, {Line: 4, Kind: mention.HostOnly}}})
	dir := plant(t, map[string]string{"x.yaml": text})
	r := run(t, dir, Config{Write: true, Judges: []Judge{first, third, second}})
	want := strings.Replace(strings.Replace(text, h+"/team/web", "FIRST", 1), h+"/team/worker", target+"/team/worker", 1)
	if d := cmp.Diff(want, files(t, dir)["x.yaml"]); d != "" {
		t.Error(d)
	}
	if want := []string{"x.yaml:1 aws-only", "x.yaml:3 login-command", "x.yaml:4 host-only", "x.yaml:5 split-unknown"}; !slices.Equal(kinds(r), want) || strings.Contains(r.Findings[2].Text, "\x1b") {
		t.Errorf("%v", r.Findings)
	}
}

// A file that changed after it was rewritten goes back by its names, spelled as they were, and what is only at the target
// stays.
func TestTheWayBackOfAChangedFile(t *testing.T) {
	t.Parallel()
	fips := "123456789012.dkr.ecr-fips.us-east-1.amazonaws.com"
	dir := plant(t, map[string]string{"x.yaml": "a: " + fips + "/team/api:1.4.2\nb: " + h + "/team/web\n"})
	var changes []document.FileChange
	run(t, dir, Config{Write: true, Pin: true, Record: func(r Report) error {
		changes = r.Changes
		return nil
	}})
	path := filepath.Join(dir, "x.yaml")
	text := "# changed\n" + files(t, dir)["x.yaml"] + "c: " + target + "/team/api:9.9\nd: " + target + "/team/worker:v1\ne: " + target + "/pushed/here:1\nf: " + target + "/team/x-${Y}\n"
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	r := run(t, dir, Config{Write: true, Reverse: true, Past: changes})
	pinned := "@" + digest.FromString("team/api 1.4.2").String()
	want := "# changed\na: " + fips + "/team/api:1.4.2" + pinned + "\nb: " + h + "/team/web\nc: " + target + "/team/api:9.9\nd: " + h + "/team/worker:v1\ne: " + target + "/pushed/here:1\nf: " + target + "/team/x-${Y}\n"
	if d := cmp.Diff(want, files(t, dir)["x.yaml"]); d != "" {
		t.Error(d)
	}
	if want := []string{"x.yaml:4 target-only", "x.yaml:6 target-only", "x.yaml:7 variable-repo"}; !slices.Equal(kinds(r), want) {
		t.Errorf("%v", r.Findings)
	}
}

// What was rewritten in two runs goes back in one.
func TestTheWayBackOfTwoRuns(t *testing.T) {
	t.Parallel()
	before := map[string]string{"x.yaml": "a: " + h + "/team/api:1.4.2\nb: " + h + "/team/old:2.0\nc: " + h + "/team/web:v1\n"}
	dir := plant(t, before)
	var changes []document.FileChange
	record := func(r Report) error {
		changes = append(changes, r.Changes...)
		return nil
	}
	run(t, dir, Config{Write: true, Record: record})
	list := []ref.Repository{source.Repository("team/old")}
	to, err := ref.ParseTarget(target)
	if err != nil {
		t.Fatal(err)
	}
	more, err := proved.FromList(list, ref.Mapping{Default: to}, proved.Options{})
	if err != nil {
		t.Fatal(err)
	}
	run(t, dir, Config{Write: true, Record: record, Known: more})
	if text := files(t, dir)["x.yaml"]; strings.Contains(text, h) || len(changes) != 2 {
		t.Fatalf("%d: %s", len(changes), text)
	}
	run(t, dir, Config{Write: true, Reverse: true, Past: changes})
	if d := cmp.Diff(before, files(t, dir)); d != "" {
		t.Error(d)
	}
}

func TestAWSAccountsAreSorted(t *testing.T) {
	t.Parallel()
	if !slices.IsSorted(awsAccounts) || !awsOwned(ref.Registry{Account: "602401143452"}) || awsOwned(source) {
		t.Error("they are not")
	}
}

// A tag may look like a host: it is part of its reference, and no mention of its own.
func TestATagThatLooksLikeAHost(t *testing.T) {
	const h = "123456789012.dkr.ecr.us-east-1.amazonaws.com"
	text := []byte(h + "/team/api:" + h + "\n" + h + "\n")
	events := newForward(known(t), false).plain("", text)
	if len(events) != 2 || events[0].Start != 0 || events[1].Start != bytes.LastIndex(text, []byte(h)) {
		t.Errorf("%+v", events)
	}
}

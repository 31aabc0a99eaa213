package proved

import (
	"strings"
	"testing"
	"time"

	"github.com/opencontainers/go-digest"

	"transship/internal/document"
	"transship/internal/ref"
	"transship/internal/references"
	"transship/internal/rewrite/mention"
)

var (
	east = ref.Registry{Account: "123456789012", Region: "us-east-1"}
	west = ref.Registry{Account: "123456789012", Region: "eu-west-1"}
	to   = ref.TargetImage{Repository: ref.TargetRepository{Location: "us", Project: "my-gcp-project", ID: "app-images"}}
	then = time.Date(2026, 7, 1, 12, 0, 0, 0, time.UTC)
	one  = digest.FromString("one")
)

func verification() document.Verification {
	whole := func(r ref.Registry, name string) document.VerifiedRepository {
		return document.VerifiedRepository{
			Source: r.Repository(name), Target: to.Join(name), VerifiedAt: then, Tags: []document.VerifiedTag{{Tag: "v1", Digest: one}}, Digests: []digest.Digest{one},
		}
	}
	part := whole(east, "team/part")
	part.Mismatched = 1
	return document.Verification{
		Header:       document.NewHeader(document.KindVerification, document.Migration{Sources: []ref.Registry{west, east}, Target: to.String()}),
		Repositories: []document.VerifiedRepository{whole(east, "team/api"), part, whole(east, "team/both"), whole(west, "team/both"), whole(east, "team/failed")},
		Cases: []document.Case{
			{Kind: document.CaseMismatched, Source: part.Source, Tag: "v2", SourceDigest: digest.FromString("two"), Cause: "it was moved"},
			{Kind: document.CaseExcluded, Source: east.Repository("team/gone"), Tag: "v1", SourceDigest: one, Cause: "it is archived"},
			{Kind: document.CaseExtra, Target: to.Join("team/api").String(), Tag: "nightly", Cause: "it is only there"},
		},
		Failures: []document.Failure{{Source: east.Repository("team/failed").String() + ":v2"}},
	}
}

func TestAsk(t *testing.T) {
	t.Parallel()
	k, err := FromVerification(verification(), nil, Options{})
	if err != nil {
		t.Fatal(err)
	}
	for _, test := range []struct {
		name, tag string
		digest    digest.Digest
		want      mention.Verdict
		why       string
	}{
		{"team/api", "v1", "", mention.Proved, ""},
		{"team/api", "", "", mention.Proved, ""},
		{"team/api", "nightly", one, mention.Proved, ""},
		{"team/api", "v9", "", mention.Unverified, "no such tag"},
		{"team/api", "v1", digest.FromString("x"), mention.Unverified, "the digest was not at the source"},
		{"team/part", "v1", "", mention.Proved, ""},
		{"team/part", "v2", "", mention.Unverified, "mismatched: it was moved"},
		{"team/part", "", "", mention.Unverified, "no fixed tag"},
		{"team/gone", "v1", "", mention.Unverified, "excluded: it is archived"},
		{"team/failed", "", "", mention.Unverified, "could not look"},
		{"team/other", "v1", "", mention.NotMoved, "not part of"},
	} {
		a := k.Ask(references.Name{Repository: east.Repository(test.name), Tag: test.tag, Digest: test.digest})
		if a.Verdict != test.want || !strings.Contains(a.Why, test.why) || (a.Why == "") != (a.Verdict == mention.Proved) {
			t.Errorf("%s:%s@%s is %+v", test.name, test.tag, test.digest, a)
		}
		if a.Verdict == mention.Proved && a.Target != to.Join(test.name) {
			t.Errorf("%s is at %s", test.name, a.Target)
		}
	}
}

func TestCopiedAgain(t *testing.T) {
	t.Parallel()
	later := Copy{EndedAt: then.Add(time.Hour), Match: func(r ref.Repository) bool { return r.Name == "team/api" }}
	k, err := FromVerification(verification(), []Copy{later, {EndedAt: then.Add(-time.Hour), Match: func(ref.Repository) bool { return true }}}, Options{})
	if err != nil {
		t.Fatal(err)
	}
	if a := k.Ask(references.Name{Repository: east.Repository("team/api"), Tag: "v1"}); a.Verdict != mention.Unverified || !strings.Contains(a.Why, "copied again") {
		t.Errorf("%+v", a)
	}
	if a := k.Ask(references.Name{Repository: east.Repository("team/part"), Tag: "v1"}); a.Verdict != mention.Proved {
		t.Errorf("%+v", a)
	}
	later.Match = func(ref.Repository) bool { return true }
	if _, err := FromVerification(verification(), []Copy{later}, Options{}); err == nil || !strings.Contains(err.Error(), `run "transship verify"`) {
		t.Error(err)
	}
}

func TestBack(t *testing.T) {
	t.Parallel()
	k, err := FromVerification(verification(), nil, Options{})
	if err != nil {
		t.Fatal(err)
	}
	for text, want := range map[string]Fate{
		"/team/api:v1": Returns, "/team/api": Returns, "/team/api@" + one.String(): Returns, "/team/api:nightly": TargetOnly, "/team/api:later": TargetOnly,
		"/team/part:v2": Returns, "/team/both:v1": Ambiguous, "/pushed/here": TargetOnly,
	} {
		for p := range references.NewPaths(k.Prefixes()...).Find([]byte(to.String() + text)) {
			if o := k.Back(p); o.Fate != want || (o.Why == "") != (want == Returns) {
				t.Errorf("%s: %+v", text, o)
			}
		}
	}
}

func TestAnotherPrefix(t *testing.T) {
	t.Parallel()
	virtual := ref.TargetImage{Repository: ref.TargetRepository{Location: "us", Project: "my-gcp-project", ID: "virtual"}, Path: "x"}
	v := verification()
	v.Repositories[1].Target.Repository.ID = "elsewhere" // by a rule
	k, err := FromVerification(v, nil, Options{RewriteTo: virtual})
	if err != nil {
		t.Fatal(err)
	}
	for name, want := range map[string]string{
		"team/api": "us-docker.pkg.dev/my-gcp-project/virtual/x/team/api", "team/part": "us-docker.pkg.dev/my-gcp-project/elsewhere/team/part",
	} {
		if a := k.Ask(references.Name{Repository: east.Repository(name), Tag: "v1"}); a.Target.String() != want {
			t.Errorf("%s is at %s", name, a.Target)
		}
	}
	v.Migration.Target = ""
	if _, err := FromVerification(v, nil, Options{RewriteTo: virtual}); err == nil {
		t.Error("there is no default target")
	}
}

func TestList(t *testing.T) {
	t.Parallel()
	list, err := ReadList(strings.NewReader("\ufeff# ours\n"+east.Host()+"/team/api # the front\r\n\nteam/web\n"), []ref.Registry{east, west})
	if err != nil || len(list) != 3 {
		t.Fatalf("%v, %v", list, err)
	}
	k, err := FromList(list, ref.Mapping{Default: to}, Options{})
	if err != nil {
		t.Fatal(err)
	}
	if a := k.Ask(references.Name{Repository: west.Repository("team/web"), Tag: "any"}); a.Verdict != mention.Proved || a.Target != to.Join("team/web") {
		t.Errorf("%+v", a)
	}
	for _, text := range []string{"Team Web", "team/api:1", "https://example.com/x"} {
		if _, err := ReadList(strings.NewReader("\n"+text), []ref.Registry{east}); err == nil || !strings.Contains(err.Error(), "line 2") {
			t.Errorf("%q: %v", text, err)
		}
	}
	if _, err := ReadList(strings.NewReader("team/api"), nil); err == nil {
		t.Error("a name of no registry passes")
	}
	if _, err := FromList(list, ref.Mapping{}, Options{}); err == nil {
		t.Error("nothing is mapped")
	}
}

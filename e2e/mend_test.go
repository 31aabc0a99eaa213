package e2e

import (
	"regexp"
	"slices"
	"strings"
	"testing"

	"transship/internal/cloudsim/corpus"
)

// verification is what a script reads of verify.json.
type verification struct {
	FormatVersion                           int
	Verified, Missing, Mismatched, Excluded int
	Cases                                   []struct {
		Kind, Target, Tag, SourceDigest, TargetDigest, Cause string
	}
}

// TestVerifyNamesWhatChangedAndCopyMendsIt lets somebody delete one tag at the target and point another at a different
// image of the same repository.
func TestVerifyNamesWhatChangedAndCopyMendsIt(t *testing.T) {
	t.Parallel()
	w := newWorld(t, corpus.Demo()).throughProxy(t)
	const name = "payments/ledger"
	w.transship(t, 0, "migrate", "--yes", "--include", name)
	lost, moved, other := victims(t, w.imagesAt()[name])
	path := target + "/" + name
	if err := w.ar.DeleteTag(path, lost.Tags[0]); err != nil {
		t.Fatal(err)
	}
	if err := w.ar.SetTag(path, moved.Tags[0], other.Digest); err != nil {
		t.Fatal(err)
	}

	found := w.transship(t, 3, "verify", "--include", name)
	for _, tag := range []string{lost.Tags[0], moved.Tags[0]} {
		named := regexp.MustCompile(regexp.QuoteMeta(name) + `.*[^\w.-]` + regexp.QuoteMeta(tag) + `([^\w.-]|$)`)
		if !slices.ContainsFunc(strings.Split(found.stdout, "\n"), named.MatchString) {
			t.Errorf("verify does not name %s:%s:\n%s", name, tag, found.stdout)
		}
	}
	v := readDocument[verification](t, w, "verify.json")
	if v.Missing != 1 || v.Mismatched != 1 {
		t.Errorf("%d missing and %d mismatched, want one of each", v.Missing, v.Mismatched)
	}
	wantCase(t, v, "missing", lost.Tags[0], lost.Digest.String(), "")
	wantCase(t, v, "mismatched", moved.Tags[0], moved.Digest.String(), other.Digest.String())

	mending := w.counted(func() { w.transship(t, 0, "copy", "--include", name) })
	if n := mending.Of("ar.v2.manifest.put"); n != 2 || writes(mending) != n {
		t.Errorf("mending two tags took %d manifest writes:\n%s", n, mending)
	}
	w.transship(t, 0, "verify", "--include", name)
	if v := readDocument[verification](t, w, "verify.json"); v.Missing+v.Mismatched != 0 || v.Verified == 0 {
		t.Errorf("after the copy: %+v", v)
	}
}

// victims are an image whose tag gets lost, another whose tag is moved, and a third that it is moved to.
func victims(t *testing.T, images []corpus.Image) (lost, moved, other corpus.Image) {
	t.Helper()
	tagged := slices.DeleteFunc(slices.Clone(images), func(img corpus.Image) bool {
		return len(img.Tags) == 0 || strings.HasPrefix(img.Tags[0], "sha256-")
	})
	if len(tagged) < 2 {
		t.Fatalf("%d tagged images: too few for this test", len(tagged))
	}
	return tagged[0], tagged[1], tagged[0]
}

// wantCase wants exactly one case of that kind, with both digests and a cause.
func wantCase(t *testing.T, v verification, kind, tag, source, target string) {
	t.Helper()
	n := 0
	for _, c := range v.Cases {
		if c.Kind != kind {
			continue
		}
		n++
		if c.Tag != tag || c.SourceDigest != source || c.TargetDigest != target || c.Cause == "" {
			t.Errorf("the case is %+v, want the tag %s, source digest %s, target digest %q and a cause", c, tag, source, target)
		}
	}
	if n != 1 {
		t.Errorf("%d cases are %s, want one", n, kind)
	}
}

package stage

import (
	"bytes"
	"io"
	"slices"
	"strings"
	"testing"

	"transship/internal/cloudsim"
	"transship/internal/cloudsim/arsim"
	"transship/internal/cloudsim/corpus"
	"transship/internal/cloudsim/ecrsim"
	"transship/internal/cloudsim/store"
	"transship/internal/cloudstest"
	"transship/internal/document"
)

// caseWorld is a world with one of the corpus's cases.
func caseWorld(t *testing.T, name string, ar arsim.Options) *cloudstest.World {
	t.Helper()
	ar.Quotas = arsim.NoQuotas()
	return cloudstest.New(t, cloudsim.Options{AR: ar}, corpus.Case(name))
}

// both are the two sides of a case's repository.
func both(t *testing.T, w *cloudstest.World, name string) (ecr *ecrsim.Repository, ar *store.Repository) {
	t.Helper()
	ecr = w.ECR.Repository("case/" + name)
	ar = w.AR.Image(cloudstest.Default().Join("case/" + name).String())
	if ecr == nil || ar == nil {
		t.Fatalf("the case %s is not on both sides", name)
	}
	return ecr, ar
}

// sameBytes compares every manifest, tag and blob of two repositories.
func sameBytes(t *testing.T, source, target *store.Repository) {
	t.Helper()
	want, got := source.Manifests(), target.Manifests()
	if len(want) != len(got) {
		t.Fatalf("%d manifests there, %d here", len(want), len(got))
	}
	for n, m := range want {
		if got[n].Digest != m.Digest || got[n].MediaType != m.MediaType || !bytes.Equal(got[n].Bytes, m.Bytes) {
			t.Errorf("%s (%s) is %s (%s) at the target", m.Digest, m.MediaType, got[n].Digest, got[n].MediaType)
		}
	}
	if !slices.Equal(source.Tags(), target.Tags()) {
		t.Errorf("the tags differ: %v, %v", source.Tags(), target.Tags())
	}
	for _, tag := range source.Tags() {
		want, _ := source.TagDigest(tag)
		if got, ok := target.TagDigest(tag); !ok || got != want {
			t.Errorf("the tag %s is at %q, not %q", tag, got, want)
		}
	}
	if !slices.Equal(source.Blobs(), target.Blobs()) {
		t.Errorf("the blobs differ: %v, %v", source.Blobs(), target.Blobs())
	}
	for _, d := range source.Blobs() {
		want, _ := source.Blob(d)
		got, ok := target.Blob(d)
		if !ok || !bytes.Equal(all(t, want), all(t, got)) {
			t.Errorf("the blob %s has other bytes", d)
		}
	}
}

func all(t *testing.T, b store.Blob) []byte {
	t.Helper()
	p, err := io.ReadAll(io.NewSectionReader(b, 0, b.Size()))
	if err != nil {
		t.Fatal(err)
	}
	return p
}

// All that a registry may hold arrives, byte for byte, and a second run has nothing to do.
func TestEveryClosureArrivesByteForByte(t *testing.T) {
	for _, name := range corpus.Cases() {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			ar := arsim.Options{}
			if name == corpus.CaseSchema1ByBytes {
				ar.Schema1 = arsim.Schema1ByBytes
			}
			w := caseWorld(t, name, ar)
			p := pipeline(t, w)
			results, v := migrate(t, p, true)
			if results.Failed+v.Missing+v.Mismatched+v.Excluded+v.Extra+len(v.Failures) != 0 || v.Verified == 0 || v.Verified != results.Success {
				t.Fatalf("copied %d, verified %d: %+v %+v %+v", results.Success, v.Verified, results.Failures, v.Cases, v.Failures)
			}
			source, target := both(t, w, name)
			sameBytes(t, source.Content, target)
			if results, err := p.Copy(t.Context(), CopyOptions{}, Hooks{}); err != nil || results.Success+results.Failed != 0 {
				t.Errorf("a second copy wrote %d and failed at %d: %v", results.Success, results.Failed, err)
			}
		})
	}
}

// Referrers that ECR's listing hides are found nevertheless: of an index, of its children, and of referrers.
func TestHiddenReferrersArrive(t *testing.T) {
	w := cloudstest.New(t, cloudsim.Options{ECR: ecrsim.Options{Quirks: ecrsim.Quirks{HideReferrers: true}}}, corpus.Case("referrers"))
	w.ECR.Repository("case/referrers").Content.Untag("sbom") // the answers about referrers do not tell their tags
	results, v := migrate(t, pipeline(t, w), true)
	if results.Failed+v.Missing+v.Extra != 0 {
		t.Errorf("%+v %+v", results.Failures, v.Cases)
	}
	source, target := both(t, w, "referrers")
	sameBytes(t, source.Content, target)
}

// Where the two sides do not agree on the digest of a manifest, or the target does not take its kind, the failure says
// so, nothing else appears under its tag, and the others arrive.
func TestWhatTheTargetDoesNotTake(t *testing.T) {
	for name, test := range map[string]struct {
		name   string
		ar     arsim.Options
		hint   string
		passes int // references that arrive
	}{
		"signed by payload, digest of all":    {corpus.CaseSchema1, arsim.Options{Schema1: arsim.Schema1ByBytes}, "Docker schema 1", 1},
		"digest of all, the target's payload": {corpus.CaseSchema1ByBytes, arsim.Options{}, "Docker schema 1", 0},
		"no schema 1":                         {corpus.CaseSchema1, arsim.Options{Schema1: arsim.Schema1Refused}, "Docker schema 1", 0},
		"no indexes of layers":                {corpus.CaseLayerIndex, arsim.Options{NoIndexedBlobs: true}, "image-manifest=true", 0},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := caseWorld(t, test.name, test.ar)
			results, v := migrate(t, pipeline(t, w), false)
			if results.Success != test.passes || results.Failed == 0 || v.Missing != results.Failed || v.Verified != test.passes {
				t.Errorf("copied %d, failed %d, verified %d, missing %d", results.Success, results.Failed, v.Verified, v.Missing)
			}
			for _, f := range results.Failures {
				if !strings.Contains(f.Hint, test.hint) || f.Class != "unsupported" {
					t.Errorf("%s: %s (%s)", f.Class, f.Error, f.Hint)
				}
			}
			if target := w.AR.Image(cloudstest.Default().Join("case/" + test.name).String()); target != nil && len(target.Tags()) != test.passes {
				t.Errorf("these tags appeared: %v", target.Tags())
			}
		})
	}
}

// A foreign layer's bytes are nowhere, and the URLs of where they are travel with the manifest.
func TestForeignLayersKeepTheirURLs(t *testing.T) {
	w := caseWorld(t, "foreign-layers", arsim.Options{})
	migrate(t, pipeline(t, w), true)
	_, target := both(t, w, "foreign-layers")
	for _, m := range target.Manifests() {
		if !bytes.Contains(m.Bytes, []byte(`"urls":["https://layers.example.com/`)) {
			t.Errorf("%s has lost its URLs", m.Digest)
		}
	}
	if n := w.Sim.Counts().Of("s3"); n != len(target.Blobs()) {
		t.Errorf("%d blobs were read for %d", n, len(target.Blobs()))
	}
}

// What only describes other images stays behind when asked to, and verify counts it.
func TestWithoutReferrers(t *testing.T) {
	for name, left := range map[string]int{"signature-tags": 8, "referrers": 4} {
		t.Run(name, func(t *testing.T) {
			w := caseWorld(t, name, arsim.Options{})
			p := pipeline(t, w)
			p.Rules.Selection.WithoutReferrers = true
			results, v := migrate(t, p, true)
			if results.Failed+v.Missing+v.Mismatched+v.Extra != 0 || v.Excluded != left {
				t.Errorf("failed %d, missing %d, excluded %d: %+v", results.Failed, v.Missing, v.Excluded, v.Cases)
			}
			_, target := both(t, w, name)
			for _, tag := range target.Tags() {
				if strings.HasPrefix(tag, "sha256-") {
					t.Errorf("%s came along", tag)
				}
			}
			for _, c := range v.Cases {
				if c.Kind == document.CaseExcluded && c.Rule != document.RuleReferrer {
					t.Errorf("excluded as %s: %+v", c.Rule, c)
				}
			}
		})
	}
}

// Untagged images stay behind when asked to, but for what the tagged ones need.
func TestTaggedOnly(t *testing.T) {
	w := caseWorld(t, "untagged", arsim.Options{})
	p := pipeline(t, w)
	p.Rules.Selection.TaggedOnly = true
	if _, v := migrate(t, p, true); v.Verified != 1 || v.Excluded != 4 || v.Missing+v.Extra != 0 {
		t.Errorf("verified %d, excluded %d: %+v", v.Verified, v.Excluded, v.Cases)
	}
	w = caseWorld(t, "indexes-in-indexes", arsim.Options{})
	p = pipeline(t, w)
	p.Rules.Selection.TaggedOnly = true
	if _, v := migrate(t, p, true); v.Excluded+v.Missing != 0 {
		t.Errorf("what the tagged images need is left out: %+v", v.Cases)
	}
	source, target := both(t, w, "indexes-in-indexes")
	sameBytes(t, source.Content, target)
}

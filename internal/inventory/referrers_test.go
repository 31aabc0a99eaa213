package inventory

import (
	"testing"

	"transship/internal/document"
	"transship/internal/registry"
)

func TestReferrers(t *testing.T) {
	// Two repositories of two images; the newest tagged one of api is described by a signature that itself is.
	build := func() *fakeSource {
		s := newSource(virginia)
		s.add("api", "old", 1, "v1")
		s.add("api", "new", 2, "v2")
		s.add("api", "archived", 3, "v3").Status = document.StatusArchived
		s.add("api", "cosign", 3, "sha256-"+hash("new").Encoded()+".sig")
		s.add("web", "untagged", 4)
		s.referrers[hash("new")] = []document.SourceImage{{Digest: hash("signature"), MediaType: "x/y"}}
		s.referrers[hash("signature")] = []document.SourceImage{{Digest: hash("attestation"), MediaType: "x/y"}}
		return s
	}
	tests := map[string]struct {
		mode  ReferrersMode
		more  func(s *fakeSource)
		calls int
		found int // of the two referrers
		fails int
	}{
		"hidden":         {calls: 1 + 7, found: 2},
		"off":            {mode: ReferrersOff},
		"always":         {mode: ReferrersAlways, more: func(s *fakeSource) { s.add("web", "x", 1).Subject = hash("y") }, calls: 8, found: 2},
		"shown":          {more: func(s *fakeSource) { s.add("web", "x", 1).Subject = hash("y") }},
		"there are none": {more: func(s *fakeSource) { clear(s.referrers) }, calls: 1},
		"shown without subject": {more: func(s *fakeSource) {
			s.add("api", "signature", 5)
			s.add("api", "attestation", 6)
		}, calls: 1, found: 2},
		"a probe is refused": {more: func(s *fakeSource) { s.errs["referrers"] = denied("list referrers") }, calls: 1},
		"a question is refused": {
			mode: ReferrersAlways, more: func(s *fakeSource) { s.errs["referrers"] = denied("list referrers") }, calls: -1, fails: 2,
		},
		"the images went": {
			mode: ReferrersAlways, more: func(s *fakeSource) { s.errs["referrers"] = &registry.Error{Class: registry.NotFound} }, calls: 5,
		},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			s := build()
			if test.more != nil {
				test.more(s)
			}
			c := config(s)
			c.Referrers, c.Concurrency = test.mode, 1
			inv, err := Run(t.Context(), c)
			if err != nil {
				t.Fatal(err)
			}
			found := 0
			for _, i := range inv.Source.Images {
				switch i.Digest {
				case hash("signature"), hash("attestation"):
					found++
					if i.URI != virginia.Repository("api") || i.Status != document.StatusActive || i.Tags == nil {
						t.Errorf("%+v", i)
					}
				}
			}
			if found != test.found || len(inv.Failures) != test.fails || test.calls >= 0 && s.calls["referrers"] != test.calls {
				t.Errorf("%d referrers with %d questions, failures: %v", found, s.calls["referrers"], inv.Failures)
			}
			for _, f := range inv.Failures {
				if f.Digest == "" {
					t.Errorf("%+v reads as if its repository could not be listed", f)
				}
			}
		})
	}
}

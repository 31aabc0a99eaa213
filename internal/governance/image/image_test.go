package image

import (
	"slices"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/opencontainers/go-digest"

	"transship/internal/document"
)

// tree is an index a of b and c, an index d of c, a signature s of a and its own signature t, and x, which stands alone.
func tree() []Image {
	return []Image{
		{Digest: "a", Children: []digest.Digest{"b", "c", "elsewhere"}},
		{Digest: "b"},
		{Digest: "c"},
		{Digest: "d", Children: []digest.Digest{"c"}},
		{Digest: "s", Subject: "a"},
		{Digest: "t", Subject: "s"},
		{Digest: "x", Subject: "elsewhere"},
	}
}

func TestSettle(t *testing.T) {
	for _, c := range []struct{ name, marked, loose, want string }{
		{"nothing", "", "", ""},
		{"children stay with their index", "bcx", "bcx", "x"},
		{"children go after all their indexes", "abc", "abcst", "abst"},
		{"and with all their indexes", "abcd", "abcdst", "abcdst"},
		{"referrers go with their subject", "a", "ast", "ast"},
		{"and not by themselves", "st", "st", ""},
		{"nor does one of theirs, unless they are loose", "s", "st", ""},
	} {
		for _, loose := range []bool{false, true} {
			images := tree()
			moments := make([]Moment, len(images))
			for n, i := range images {
				if moments[n] = Never; slices.Contains([]byte(c.marked), i.Digest[0]) {
					moments[n] = Moment(n)
				}
			}
			NewGraph(images).Settle(moments, loose)
			got := ""
			for n, i := range images {
				if moments[n] != Never {
					got += string(i.Digest)
				}
			}
			want := c.want
			if loose && (c.marked == "st" || c.marked == "s") {
				want = c.loose
			}
			if got != want {
				t.Errorf("%s, loose %v: %q falls, not %q", c.name, loose, got, want)
			}
		}
	}
}

func TestLoopsEnd(t *testing.T) {
	images := []Image{
		{Digest: "a", Children: []digest.Digest{"a", "b"}, Subject: "b"},
		{Digest: "b", Children: []digest.Digest{"a"}, Subject: "a"},
	}
	NewGraph(images).Settle([]Moment{1, 2}, true)
	NewGraph(images).Settle([]Moment{Never, 1}, false)
}

func TestOf(t *testing.T) {
	pushed := time.Unix(1, 0)
	got := Of([]document.SourceImage{
		{Digest: "a", Tags: []string{"v1"}, PushedAt: pushed, LastPulledAt: time.Unix(2, 0), Status: document.StatusActive},
		{Digest: "b", Status: document.StatusArchived, Subject: "a"},
	}, document.Content{"a": {Children: []document.ContentItem{{Digest: "c"}}}})
	want := []Image{
		{Digest: "a", Tags: []string{"v1"}, PushedAt: pushed, LastPulledAt: time.Unix(2, 0), Children: []digest.Digest{"c"}},
		{Digest: "b", Archived: true, Subject: "a"},
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
	if born := (Image{PushedAt: pushed, ActivatedAt: time.Unix(9, 0)}).Born(); born != time.Unix(9, 0) {
		t.Error(born)
	}
}

func TestMoments(t *testing.T) {
	images := tree()
	moments := []Moment{5, 1, 2, 9, 1, 1, 3}
	NewGraph(images).Settle(moments, false)
	if diff := cmp.Diff([]Moment{5, 5, 9, 9, 5, 5, 3}, moments); diff != "" {
		t.Error(diff)
	}
	moments = []Moment{5, 1, 2, Never, 1, 7, 3}
	NewGraph(images).Settle(moments, true)
	if diff := cmp.Diff([]Moment{5, 5, Never, Never, 1, 1, 3}, moments); diff != "" {
		t.Error(diff)
	}
	at := time.Unix(100, 0)
	if m := At(at); m.Passed(at) || !m.Passed(at.Add(time.Second)) || m.Add(5) != 105 {
		t.Error(m)
	}
	if !Past.Add(1).Passed(at) || Never.Add(1).Passed(at) {
		t.Error("the ends of time move")
	}
}

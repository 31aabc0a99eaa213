package inventory

import (
	"bytes"
	"fmt"
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"
	ocispec "github.com/opencontainers/image-spec/specs-go/v1"

	"transship/internal/document"
)

func TestSummarize(t *testing.T) {
	s := newSource(virginia)
	for n := range 12 {
		s.add("large", fmt.Sprint("l", n), 100+n, fmt.Sprint("v", n))
	}
	s.add("small", "index", 500, "v1").MediaType = ocispec.MediaTypeImageIndex
	s.add("small", "child", 50).LastPulledAt = day
	s.add("small", "cold", 1).Status = document.StatusArchived
	s.images["empty"] = nil
	inv, err := Run(t.Context(), config(s))
	if err != nil {
		t.Fatal(err)
	}
	before := len(inv.Source.Images)
	got := Summarize(inv)
	size := int64(12*100+66) + 51
	if got.Repositories != 3 || got.Images != 15 || got.Tags != 13 || got.Untagged != 2 || got.NeverPulled != 14 || got.Size != size || len(got.Archived) != 1 {
		t.Errorf("%+v", got)
	}
	if len(got.LargestImages) != 10 || got.LargestImages[0].Size != 111 || len(got.OldestImages) != 10 || got.OldestImages[0].Digest != hash("cold") {
		t.Errorf("%+v", got)
	}
	want := []SummaryRepository{
		{Repository: virginia.Repository("large"), Images: 12, Tags: 12, Size: 1266}, {Repository: virginia.Repository("small"), Images: 3, Tags: 1, Size: 51},
	}
	if diff := cmp.Diff(want, got.LargestRepositories); diff != "" {
		t.Error(diff)
	}
	if before != len(inv.Source.Images) {
		t.Error("the inventory has changed")
	}
	var b bytes.Buffer
	if err := document.Encode(&b, Summarize(document.Inventory{})); err != nil || bytes.Contains(b.Bytes(), []byte("null")) {
		t.Errorf("%s, %v", &b, err)
	}
}

// What restoring would take: the images, their bytes, and the commands as they can be typed.
func TestArchivedImages(t *testing.T) {
	if r := ArchivedImages(document.Inventory{}); r != nil {
		t.Errorf("nothing is archived, and yet: %+v", r)
	}
	s := newSource(virginia)
	s.add("team/api", "hot", 1, "v1")
	s.add("team/api", "cold", 100).Status = document.StatusArchived
	index := s.add("team/api", "cold index", 100)
	index.Status, index.MediaType = document.StatusArchived, ocispec.MediaTypeImageIndex
	s.add("team/api", "thawing", 10).Status = document.StatusActivating
	inv, err := Run(t.Context(), config(s))
	if err != nil {
		t.Fatal(err)
	}
	r := ArchivedImages(inv)
	if r.Images != 3 || r.Restoring != 1 || r.Minutes != 20 || len(r.Commands) != 2 || len(r.Notes) == 0 {
		t.Fatalf("%+v", r)
	}
	want := "aws ecr update-image-storage-class --region us-east-1 --registry-id 123456789012 --repository-name team/api --image-id imageDigest=" +
		hash("cold").String() + " --target-storage-class STANDARD"
	if !slices.Contains(r.Commands, want) {
		t.Errorf("%q is not among %q", want, r.Commands)
	}
	if r.Bytes != 110 { // an index has a size of its children
		t.Errorf("%d bytes", r.Bytes)
	}
	if Summarize(inv).Restore == nil {
		t.Error("the summary does not say what restoring would take")
	}
}

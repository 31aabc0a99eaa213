package ecr_test

import (
	"fmt"
	"slices"
	"testing"

	"github.com/opencontainers/go-digest"

	"transship/internal/cloudsim"
	"transship/internal/cloudsim/corpus"
	"transship/internal/cloudstest"
	"transship/internal/registry"
)

// Images are described a hundred a request, each once with all its tags; those that are not there are left out, and
// cost a few requests more.
func TestDescribe(t *testing.T) {
	w := cloudstest.New(t, cloudsim.Options{}, corpus.Flat(1, 150))
	repo := cloudstest.Registry().Repository("flat/app-0000")
	content := w.ECR.Repository(repo.Name).Content
	tags := content.Tags()
	v1, _ := content.TagDigest("v1")
	content.Tag("stable", v1)
	before := w.Sim.Counts()
	found, err := w.Source.Describe(t.Context(), repo, tags, []digest.Digest{v1})
	if err != nil || len(found) != 150 {
		t.Fatalf("%d images: %v", len(found), err)
	}
	if n := w.Sim.Counts().Sub(before).Of("ecr.DescribeImages"); n != 2 {
		t.Errorf("%d requests", n)
	}
	for _, i := range found {
		if i.Digest == v1 && !slices.Equal(i.Tags, []string{"stable", "v1"}) {
			t.Errorf("v1 has the tags %q", i.Tags)
		}
	}
	before = w.Sim.Counts()
	found, err = w.Source.Describe(t.Context(), repo, append(tags[:63:63], "gone"), []digest.Digest{digest.FromString("gone")})
	if n := w.Sim.Counts().Sub(before).Of("ecr.DescribeImages"); err != nil || len(found) != 63 || n > 20 {
		t.Errorf("%d images in %d requests: %v", len(found), n, err)
	}
	if found, err = w.Source.Describe(t.Context(), repo, nil, nil); err != nil || len(found) != 0 {
		t.Errorf("%d images: %v", len(found), err)
	}
	if _, err = w.Source.Describe(t.Context(), cloudstest.Registry().Repository("none"), []string{"v1"}, nil); !registry.IsClass(err, registry.NoRepository) {
		t.Error(err)
	}
	w.Sim.Faults.Set(cloudsim.Fault{Kind: "ecr.DescribeImages", Action: cloudsim.AWSError(400, "AccessDeniedException", "no")})
	if _, err = w.Source.Describe(t.Context(), repo, []string{"v1"}, nil); !registry.IsClass(err, registry.Denied) {
		t.Error(fmt.Sprint(err))
	}
}

package ecr

import (
	"fmt"
	"net/http"
	"testing"
	"testing/synctest"

	"github.com/google/go-cmp/cmp"
	"github.com/opencontainers/go-digest"

	"transship/internal/cloudsim"
	"transship/internal/cloudsim/ecrsim"
	"transship/internal/cloudsim/store"
	"transship/internal/document"
	"transship/internal/registry"
)

func TestPullThroughPrefixes(t *testing.T) {
	sim, account, reg := world(t, cloudsim.Options{})
	if rules, err := reg.PullThroughPrefixes(t.Context()); err != nil || len(rules) != 0 {
		t.Errorf("%v, %v", rules, err)
	}
	want := []document.PullThroughRule{{Prefix: "hub", Upstream: "registry-1.docker.io"}, {Prefix: "quay", Upstream: "quay.io"}}
	for _, r := range []int{1, 0} {
		account.AddPullThroughCacheRule(ecrsim.PullThroughCacheRule{Prefix: want[r].Prefix, UpstreamURL: want[r].Upstream})
	}
	rules, err := reg.PullThroughPrefixes(t.Context())
	if diff := cmp.Diff(want, rules); diff != "" || err != nil {
		t.Error(diff, err)
	}
	if n := sim.Counts().Of("ecr.DescribePullThroughCacheRules"); n != 2 {
		t.Errorf("%d requests", n)
	}
}

// An endpoint that does not have the call, as moto's, is not asked for minutes; who lacks the permission is told which.
func TestPullThroughPrefixesThatCannotBeHad(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		broken := always(http.StatusInternalServerError, "<html>")
		if _, err := scripted(broken).PullThroughPrefixes(t.Context()); err == nil || broken.requests() > pullThroughAttempts {
			t.Errorf("%d requests: %v", broken.requests(), err)
		}
		denied := always(http.StatusBadRequest, apiError("AccessDeniedException", "no"))
		if _, err := scripted(denied).PullThroughPrefixes(t.Context()); !registry.IsClass(err, registry.Denied) || denied.requests() != 1 {
			t.Errorf("%d requests: %v", denied.requests(), err)
		}
	})
}

func TestLayerSizes(t *testing.T) {
	sim, account, reg := world(t, cloudsim.Options{})
	p := account.CreateRepository("app", ecrsim.RepositorySettings{})
	repo := home.Repository("app")
	want := map[digest.Digest]int64{}
	var ds []digest.Digest
	for n := range 150 {
		b := fmt.Append(nil, n)
		d := digest.FromBytes(b)
		p.Content.PutBlob(d, store.BytesBlob(b))
		want[d] = int64(len(b))
		ds = append(ds, d, d)
	}
	got, err := reg.LayerSizes(t.Context(), repo, ds)
	if diff := cmp.Diff(want, got); diff != "" || err != nil {
		t.Error(diff, err)
	}
	if n := sim.Counts().Of("ecr.BatchCheckLayerAvailability"); n != 2 {
		t.Errorf("%d requests", n)
	}
	gone := digest.FromString("gone")
	if _, err := reg.LayerSizes(t.Context(), repo, append(ds[:1], gone)); !registry.IsClass(err, registry.NotFound) {
		t.Errorf("a layer that is not there: %v", err)
	}
	if _, err := reg.LayerSizes(t.Context(), home.Repository("none"), ds[:1]); !registry.IsClass(err, registry.NoRepository) {
		t.Errorf("a repository that is not there: %v", err)
	}
}

package provision

import (
	"context"
	"errors"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"transship/internal/document"
	"transship/internal/governance/access"
	"transship/internal/ref"
	"transship/internal/registry"
)

var images = ref.TargetRepository{Location: "us", Project: "my-gcp-project", ID: "app-images"}

// policies is a target with one policy, which somebody else changes so often before each change goes through.
type policies struct {
	policy  document.AccessPolicy
	others  int   // so many changes of others are still to come
	fails   error // what every change ends in
	reads   int
	changes int
}

func (p *policies) GetIamPolicy(context.Context, ref.TargetRepository) (document.AccessPolicy, error) {
	p.reads++
	return p.policy, nil
}

func (p *policies) SetIamPolicy(_ context.Context, _ ref.TargetRepository, next document.AccessPolicy) error {
	p.changes++
	if p.fails != nil {
		return p.fails
	}
	if p.others > 0 {
		p.others--
		p.policy.Etag += "+"
		p.policy.Bindings = append(slices.Clone(p.policy.Bindings), document.AccessBinding{Role: "roles/viewer", Members: []string{"user:other@example.com"}})
	}
	if next.Etag != p.policy.Etag {
		return &registry.Error{Side: registry.Target, Op: "change access", Class: registry.Conflict}
	}
	next.Etag += "!"
	p.policy = next
	return nil
}

func wish(role, member string) access.Wish { return access.Wish{Role: role, Member: member} }

func reviewed(wanted ...access.Wish) []Reviewed {
	return []Reviewed{{Name: "us-my-gcp-project-app-images", Review: access.Review{Repository: images, Wanted: wanted}}}
}

func TestAccessIsAddedAndNothingTaken(t *testing.T) {
	condition := &document.AccessCondition{Title: "t", Expression: "true"}
	before := []document.AccessBinding{
		{Role: access.RoleReader, Members: []string{"user:A@example.com", "deleted:user:x@example.com?uid=1"}},
		{Role: access.RoleReader, Members: []string{"user:c@example.com"}, Condition: condition},
		{Role: "roles/owner", Members: []string{"user:boss@example.com"}},
	}
	p := &policies{policy: document.AccessPolicy{Version: 3, Etag: "1", Bindings: before}}
	files := reviewed(
		wish(access.RoleReader, "user:a@example.com"), wish(access.RoleReader, "user:c@example.com"), wish(access.RoleWriter, "user:a@example.com"),
		wish(access.RoleReader, "principal://iam.googleapis.com/x"),
	)
	files[0].Review.Left = 2
	changes, err := PreviewAccess(t.Context(), p, files)
	want := []AccessChange{{
		File: files[0].Name, Repository: images, Left: 2, Present: []access.Wish{wish(access.RoleReader, "user:a@example.com")},
		Missing: []access.Wish{files[0].Review.Wanted[1], files[0].Review.Wanted[2], files[0].Review.Wanted[3]},
	}}
	if diff := cmp.Diff(want, changes); err != nil || diff != "" || p.changes != 0 {
		t.Fatalf("preview: %v (-want +got):\n%s", err, diff)
	}
	r, err := ApplyAccess(t.Context(), p, changes)
	if diff := cmp.Diff(want, r.Applied); err != nil || diff != "" {
		t.Errorf("applied: %v (-want +got):\n%s", err, diff)
	}
	after := []document.AccessBinding{
		{Role: access.RoleReader, Members: []string{"user:A@example.com", "deleted:user:x@example.com?uid=1", "user:c@example.com", "principal://iam.googleapis.com/x"}},
		before[1], before[2],
		{Role: access.RoleWriter, Members: []string{"user:a@example.com"}},
	}
	if diff := cmp.Diff(after, p.policy.Bindings); diff != "" || p.policy.Version != 3 || p.reads != 2 || p.changes != 1 {
		t.Errorf("%d reads, %d changes (-want +got):\n%s", p.reads, p.changes, diff)
	}
	if len(before[0].Members) != 2 {
		t.Error("what was read was changed")
	}
	// A second time there is nothing to do, and nobody is asked to do it.
	if changes, err = PreviewAccess(t.Context(), p, files); err != nil || len(changes[0].Missing) != 0 || len(changes[0].Present) != 4 {
		t.Errorf("%+v, %v", changes, err)
	}
	if r, err = ApplyAccess(t.Context(), p, changes); err != nil || len(r.Applied) != 1 || p.reads != 3 || p.changes != 1 {
		t.Errorf("%+v, %v: %d reads, %d changes", r, err, p.reads, p.changes)
	}
}

func TestAccessIsTriedAgainWhereSomebodyWasFaster(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := &policies{policy: document.AccessPolicy{Etag: "1"}, others: 3}
		change := AccessChange{Repository: images, Missing: []access.Wish{wish(access.RoleReader, "user:a@example.com")}}
		begin := time.Now()
		if _, err := ApplyAccess(t.Context(), p, []AccessChange{change}); err != nil {
			t.Fatal(err)
		}
		if took := time.Since(begin); took != 3500*time.Millisecond || p.reads != 4 || p.changes != 4 || len(p.policy.Bindings) != 4 {
			t.Errorf("%s, %d reads, %d changes, %+v", took, p.reads, p.changes, p.policy)
		}
		p.others = 100
		change.Missing = []access.Wish{wish(access.RoleWriter, "user:a@example.com")}
		if _, err := ApplyAccess(t.Context(), p, []AccessChange{change}); !registry.IsClass(err, registry.Conflict) || p.changes != 4+conflictTries {
			t.Errorf("%v after %d changes", err, p.changes)
		}
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		if _, err := ApplyAccess(ctx, p, []AccessChange{change}); !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("stopped: %v", err)
		}
	})
}

func TestAccessThatFailsDoesNotStopOthers(t *testing.T) {
	p := &policies{policy: document.AccessPolicy{Etag: "1"}, fails: errors.New("no")}
	missing := []access.Wish{wish(access.RoleReader, "user:a@example.com")}
	r, err := ApplyAccess(t.Context(), p, []AccessChange{{Repository: images, Missing: missing}, {Repository: images}, {Repository: images, Missing: missing}})
	if err == nil || strings.Count(err.Error(), "no") != 2 || len(r.Applied) != 1 || p.changes != 2 {
		t.Errorf("%+v, %v", r, err)
	}
}

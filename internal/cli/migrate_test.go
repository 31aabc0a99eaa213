package cli

import (
	"testing"

	"transship/internal/provision"
	"transship/internal/ref"
	"transship/internal/stage"
)

func TestMigrateAsksForAllThatChanges(t *testing.T) {
	for _, test := range []struct {
		images, settings, finishing bool
		want                        string
	}{
		{false, false, false, ""},
		{true, false, false, "Create, copy and tag all this?"},
		{true, true, false, "Create, copy and tag all this?"},
		{false, true, false, "Change all this?"},
		{true, true, true, "Create, copy and tag all this, and make tags immutable once it is verified?"},
		{false, true, true, "Change all this, and make tags immutable once it is verified?"},
		{false, false, true, "Make tags immutable once everything is verified?"},
	} {
		if got := migrateQuestion(test.images, test.settings, test.finishing); got != test.want {
			t.Errorf("%+v: %q", test, got)
		}
	}
}

// While a sync moves tags, a migration leaves them as they can be moved: it does not even ask the target.
func TestASyncKeepsTagsMovable(t *testing.T) {
	before := provision.Result{Unfinished: []ref.TargetRepository{{ID: "r"}}}
	after, err := new(app).finish(t.Context(), &stage.Pipeline{Sync: true}, before)
	if err != nil || len(after.Unfinished) != 1 {
		t.Errorf("%+v, %v", after, err)
	}
}

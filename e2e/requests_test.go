package e2e

import (
	"testing"

	"transship/internal/cloudsim/corpus"
)

// TestSecondCopyIsCheap counts what a copy costs where there is nothing to copy: pages, not tags.
func TestSecondCopyIsCheap(t *testing.T) {
	t.Parallel()
	const most = 30
	w := newWorld(t, corpus.Flat(10, 100)).throughProxy(t)
	w.transship(t, 0, "migrate", "--yes")
	compareCloud(t, w)
	second := w.counted(func() { w.transship(t, 0, "copy") })
	t.Logf("a second copy over 1,000 unchanged tags in 10 repositories: %d requests\n%s", second.Total(), second)
	if n := second.Total(); n > most || writes(second) != 0 {
		t.Errorf("%d requests, %d of them writes, want at most %d and no write", n, writes(second), most)
	}
	results := readDocument[struct{ Success, Failed, Skipped int }](t, w, "results.json")
	if results.Success != 0 || results.Failed != 0 || results.Skipped != 1000 {
		t.Errorf("results.json says %+v, want 1,000 skipped", results)
	}
}

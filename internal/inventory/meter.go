package inventory

import (
	"sync"

	"transship/internal/registry"
)

// meter adds up the progress of one side. A nil hook makes it silent.
type meter struct {
	hook  func(Progress)
	mu    sync.Mutex
	total Progress
}

func newMeter(side registry.Side, hook func(Progress)) *meter {
	return &meter{hook: hook, total: Progress{Side: side}}
}

func (m *meter) add(p Progress) {
	if m.hook == nil {
		return
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	m.total.Repositories += p.Repositories
	m.total.Listed += p.Listed
	m.total.Images += p.Images
	m.hook(m.total)
}

// serialised returns hook such that one call is made at a time.
func serialised(hook func(Progress)) func(Progress) {
	if hook == nil {
		return nil
	}
	var mu sync.Mutex
	return func(p Progress) {
		mu.Lock()
		defer mu.Unlock()
		hook(p)
	}
}

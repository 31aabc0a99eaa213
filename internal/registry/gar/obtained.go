package gar

import "time"

// Obtained is when the oldest token in use was obtained; the zero value where there is none.
func (k *Keyring) Obtained() time.Time {
	k.mu.Lock()
	defer k.mu.Unlock()
	var oldest time.Time
	look := func(s *TokenSource) {
		s.mu.Lock()
		defer s.mu.Unlock()
		if at := s.current.obtained; !at.IsZero() && (oldest.IsZero() || at.Before(oldest)) {
			oldest = at
		}
	}
	if k.all != nil {
		look(k.all)
	}
	for _, s := range k.hosts {
		look(s)
	}
	return oldest
}

package store

// Len returns the number of manifests.
func (r *Repository) Len() int {
	r.mu.RLock()
	defer r.mu.RUnlock()
	return len(r.manifests)
}

package ecrsim

import (
	"transship/internal/cloudsim/corpus"
	"transship/internal/cloudsim/store"
)

// Load creates the repositories of c with their images, times and archived ones.
func (r *Registry) Load(c *corpus.Corpus) {
	made := map[string]*Repository{}
	c.Load(func(name string) *store.Repository {
		made[name] = r.CreateRepository(name, RepositorySettings{})
		return made[name].Content
	}, corpus.Hooks{Image: func(name string, i corpus.Image) {
		p := made[name]
		p.SetPushedAt(i.Digest, i.PushedAt)
		if !i.LastPulled.IsZero() {
			p.SetPulledAt(i.Digest, i.LastPulled)
		}
		if i.Archived {
			p.SetStatus(i.Digest, StatusArchived)
		}
	}})
}

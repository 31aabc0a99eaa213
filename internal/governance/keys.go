package governance

import (
	"cmp"
	"errors"
	"fmt"

	"transship/internal/document"
	"transship/internal/governance/desired"
	"transship/internal/ref"
)

// KeyError says what is wrong with the keys that the user named.
type KeyError struct {
	Where string // the line, where it is about one
	Err   error
}

// Error is the place and the cause.
func (e *KeyError) Error() string {
	if e.Where == "" {
		return e.Err.Error()
	}
	return e.Where + ": " + e.Err.Error()
}

// Unwrap returns the cause.
func (e *KeyError) Unwrap() error { return e.Err }

// encryption gives a repository the key that the user named for its members. A key is set at creation and never changes,
// so what cannot be right is an error. FACTS B2, C4.
func (g *governor) encryption(group *group) error {
	chosen, err := g.key(group)
	if err != nil {
		return err
	}
	group.planned.Settings.KMSKey = chosen.Name
	for _, m := range group.members {
		t := document.Translation{Setting: document.SettingEncryption}
		own := m.EncryptionType != "" && m.EncryptionType != "AES256"
		t.Was = "encrypted by ECR's own key"
		if own {
			t.Was = fmt.Sprintf("encrypted by %s (%s)", cmp.Or(m.KMSKey, "AWS's key for ECR"), m.EncryptionType)
		}
		switch {
		case chosen.Name != "":
			t.Fate, t.Becomes = document.FateExact, chosen.Name
			t.Decide = fmt.Sprintf("let the service agent of Artifact Registry in %s use the key: roles/cloudkms.cryptoKeyEncrypterDecrypter for "+
				"service-PROJECT_NUMBER@gcp-sa-artifactregistry.iam.gserviceaccount.com", group.planned.URI.Project)
		case own:
			t.Fate = document.FateRefused
			t.Reason = "no key of Google's was named for it, and AWS's cannot be used there"
			t.Decide = "name one under keys: in the configuration before the repository is created, since it cannot change later; or accept Google's own encryption"
		default:
			t.Fate, t.Becomes = document.FateNeedless, "encrypted by Google's own key"
		}
		m.tell(t)
	}
	return nil
}

// key is the one that all members of the group that have one agree on.
func (g *governor) key(group *group) (Key, error) {
	var chosen Key
	var by *member
	for _, m := range group.members {
		k := g.keyOf(m.URI)
		switch {
		case k.Name == "" || k.Name == chosen.Name:
		case by == nil:
			chosen, by = k, m
		default:
			return Key{}, &KeyError{k.Where, fmt.Errorf("%s and %s are mapped to %s, which has one key, and keys: names %s and %s for them: map them apart",
				by.Name, m.Name, group.planned.URI, chosen.Name, k.Name)}
		}
	}
	if chosen.Name == "" {
		return chosen, nil
	}
	if reason, remedy := desired.UnfitKey(chosen.Name, group.planned.URI); reason != "" {
		return Key{}, &KeyError{chosen.Where, fmt.Errorf("the key %s for %s %s: %s", chosen.Name, group.planned.URI, reason, remedy)}
	}
	return chosen, nil
}

// keyOf is the first key whose pattern matches r.
func (g *governor) keyOf(r ref.Repository) Key {
	for _, k := range g.Keys {
		if k.From.MatchRepository(r) {
			return k
		}
	}
	return Key{}
}

var errNoKeys = errors.New("the pattern matches no repository")

// deadKeys is an error about the first key that matches no repository of the inventory.
func (g *governor) deadKeys() error {
	for _, k := range g.Keys {
		dead := true
		for _, r := range g.Inventory.Source.Repositories {
			dead = dead && !k.From.MatchRepository(r.URI)
		}
		if dead {
			return &KeyError{k.Where, fmt.Errorf("%s: %w: correct it, or remove it", k.From, errNoKeys)}
		}
	}
	return nil
}

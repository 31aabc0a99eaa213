package desired

import (
	"regexp"

	"transship/internal/document"
	"transship/internal/ref"
)

// keyPattern is the name of a key, which has no version. FACTS B2 [S].
var keyPattern = regexp.MustCompile(`^projects/[^/]+/locations/([^/]+)/keyRings/[^/]+/cryptoKeys/[^/]+$`)

// key is set when the repository is created, and never after that: a key that does not fit is found out before anything
// is created. A repository that has a key where none is planned keeps it.
func (c *Change) key(want, now string) {
	switch {
	case want == "" || want == now:
		return
	case !c.Create && now == "":
		c.conflict("map to another repository, which Transship creates with the key, or plan without the key",
			"it exists without a customer's key, and the key of a repository cannot be changed: the plan wants %s", want)
		return
	case !c.Create:
		c.conflict("map to another repository, which Transship creates with the key, or name the key that it has",
			"it exists with the key %s, which cannot be changed: the plan wants %s", now, want)
		return
	}
	if reason, remedy := UnfitKey(want, c.Repository); reason != "" {
		c.conflict(remedy, "its key %s %s", want, reason)
		return
	}
	c.step(document.SettingEncryption, "", "", want)
	c.Settings.KMSKey = want
}

// UnfitKey says why a key cannot be that of a repository, and what to do; nothing where it can. The key of a multi-region is in the key location of the same name:
// us, europe or asia. [D]
func UnfitKey(key string, r ref.TargetRepository) (reason, remedy string) {
	m := keyPattern.FindStringSubmatch(key)
	if m == nil {
		return "is not the name of a key", "write it as projects/PROJECT/locations/LOCATION/keyRings/RING/cryptoKeys/KEY, without a version"
	}
	if m[1] != r.Location {
		return "is in " + m[1] + ", and the repository in " + r.Location, "name a key whose location is " + r.Location
	}
	return "", ""
}

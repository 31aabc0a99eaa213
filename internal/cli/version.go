package cli

import (
	"cmp"
	"fmt"
	"runtime"
	"runtime/debug"
)

// version is set by the linker when a release is built.
var version string

// versionLine says which Transship this is: version, commit and Go version, as far as the build knows them.
func versionLine() string {
	v, commit, dirty := version, "", false
	if info, ok := debug.ReadBuildInfo(); ok {
		if main := info.Main.Version; v == "" && main != "(devel)" {
			v = main
		}
		for _, s := range info.Settings {
			switch s.Key {
			case "vcs.revision":
				commit = s.Value
			case "vcs.modified":
				dirty = s.Value == "true"
			}
		}
	}
	commit = cmp.Or(commit, "unknown")
	if dirty {
		commit += " with changes"
	}
	return fmt.Sprintf("transship %s (commit %s, %s %s/%s)", cmp.Or(v, "development"), commit, runtime.Version(), runtime.GOOS, runtime.GOARCH)
}

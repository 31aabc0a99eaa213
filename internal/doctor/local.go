package doctor

import (
	"errors"
	"fmt"
	"io/fs"
	"net/url"
	"os"
	"path/filepath"
	"strings"

	"transship/internal/workspace"
)

// How much room the documents of a migration want: some 100 bytes a tag, 1 KiB a manifest, and no layers.
const (
	roomWarn = 1 << 30
	roomFail = 64 << 20
)

// local examines this machine.
func (x *examiner) local() Group {
	checks := append([]Check{}, x.Settings...)
	checks = append(checks, configuration(x.Mapping, x.Scope, x.Waves)...)
	checks = append(checks, x.workspace()...)
	return Group{Side: SideLocal, Checks: append(checks, x.proxy(), x.trust())}
}

// workspace says whether the documents can be written.
func (x *examiner) workspace() []Check {
	const name = "workspace"
	at, exists, err := nearest(x.Workspace)
	if err != nil {
		return []Check{failed(name, err.Error(), "name another folder with -w")}
	}
	if err := writable(at); err != nil {
		return []Check{failed(name, fmt.Sprintf("the folder %s cannot be written: %s", at, plain(err)),
			"make it writable, or name another folder with -w")}
	}
	if busy, err := workspace.Busy(x.Workspace); err == nil && busy {
		return []Check{warned(name, "another transship is at work in "+x.Workspace, "wait for it, or name another workspace with -w")}
	}
	text := x.Workspace + " can be written"
	if !exists {
		text = x.Workspace + " does not exist yet, and can be created"
	}
	free := x.Free(at)
	left := fmt.Sprintf("%d MiB", free>>20)
	if free >= 10<<30 {
		left = fmt.Sprintf("%d GiB", free>>30)
	}
	room := left + " are free; layers take none, documents some MiB"
	switch {
	case free == 0:
		return []Check{passed(name, text), skipped("room", "this system does not tell")}
	case free < roomFail:
		return []Check{passed(name, text), failed("room", room, "free at least 1 GiB, or name a folder elsewhere with -w")}
	case free < roomWarn:
		return []Check{passed(name, text), warned("room", room, "free at least 1 GiB, or name a folder elsewhere with -w")}
	}
	return []Check{passed(name, text), passed("room", room)}
}

// nearest is dir, or the folder nearest above it that exists.
func nearest(dir string) (at string, exists bool, err error) {
	at, err = filepath.Abs(dir)
	if err != nil {
		return "", false, err
	}
	for exists = true; ; exists = false {
		info, err := os.Stat(at)
		switch {
		case err == nil && !info.IsDir():
			return "", false, fmt.Errorf("%s is a file, not a folder", at)
		case err == nil:
			return at, exists, nil
		case !errors.Is(err, fs.ErrNotExist) || at == filepath.Dir(at):
			return "", false, fmt.Errorf("%s cannot be looked at: %s", at, plain(err))
		}
		at = filepath.Dir(at)
	}
}

// writable writes an empty file and removes it: nothing else tells for sure, on every system.
func writable(dir string) error {
	f, err := os.CreateTemp(dir, ".transship-doctor-*")
	if err != nil {
		return err
	}
	return errors.Join(f.Close(), os.Remove(f.Name()))
}

// plain is an error of the file system without the path.
func plain(err error) string {
	if e, ok := errors.AsType[*fs.PathError](err); ok {
		return e.Err.Error()
	}
	return err.Error()
}

// proxy says which proxy is in force, without its password.
func (x *examiner) proxy() Check {
	var found []string
	for _, name := range []string{"HTTPS_PROXY", "HTTP_PROXY", "NO_PROXY"} {
		value, set := name, x.Getenv(name)
		if lower := strings.ToLower(name); set == "" {
			value, set = lower, x.Getenv(lower)
		}
		if set == "" {
			continue
		}
		if name != "NO_PROXY" {
			u, err := url.Parse(set)
			if err != nil || u.Host == "" {
				u, err = url.Parse("http://" + set)
			}
			if err != nil || u.Host == "" {
				return failed("proxy", value+" is no address of a proxy", "write it as http://HOST:PORT")
			}
			set = u.Scheme + "://" + u.Host
			if u.User != nil {
				set += " (with a user)"
			}
		}
		found = append(found, value+"="+set)
	}
	if len(found) == 0 {
		return passed("proxy", "none")
	}
	return passed("proxy", strings.Join(found, ", "))
}

// trust says which authorities are added to the system's.
func (x *examiner) trust() Check {
	var found []string
	for _, name := range []string{"SSL_CERT_FILE", "SSL_CERT_DIR", "AWS_CA_BUNDLE"} {
		path := x.Getenv(name)
		if path == "" {
			continue
		}
		if _, err := os.Stat(path); err != nil && name != "SSL_CERT_DIR" {
			return failed("trusted authorities", fmt.Sprintf("%s names %s: %s", name, path, plain(err)), "correct or unset "+name)
		}
		found = append(found, name+"="+path)
	}
	if len(found) == 0 {
		return passed("trusted authorities", "the system's")
	}
	return passed("trusted authorities", strings.Join(found, ", "))
}

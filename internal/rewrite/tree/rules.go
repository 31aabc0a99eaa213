package tree

import (
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"transship/internal/rewrite/ignore"
)

// maxRules is the size of the largest file of patterns that is read.
const maxRules = 1 << 20

// above finds the repository that the folder is in, and reads the patterns of the folders from its top to the folder.
func (t *Tree) above(whole string) {
	if exists(filepath.Join(whole, ".git")) {
		return // it is the top itself
	}
	var between []string // from the folder's parent to the top
	for dir := filepath.Dir(whole); ; dir = filepath.Dir(dir) {
		between = append(between, dir)
		if exists(filepath.Join(dir, ".git")) {
			break
		}
		if dir == filepath.Dir(dir) {
			return // in no repository
		}
	}
	top := between[len(between)-1]
	t.rules = excluded(nil, top, "")
	slices.Reverse(between)
	for _, dir := range between {
		t.rules = t.rules.With(within(top, dir), regular(filepath.Join(dir, ".gitignore")))
	}
	t.inside = within(top, whole) + "/"
}

// within is the path of dir in top, with slashes, empty for top itself.
func within(top, dir string) string {
	rel, err := filepath.Rel(top, dir)
	if err != nil || rel == "." {
		return ""
	}
	return filepath.ToSlash(rel)
}

func exists(path string) bool {
	_, err := os.Lstat(path)
	return err == nil
}

// excluded lays the patterns of a repository's info/exclude over r. Of a worktree or a submodule, .git is a file that says
// where the repository is.
func excluded(r *ignore.Rules, top, base string) *ignore.Rules {
	git := filepath.Join(top, ".git")
	if text := string(regular(git)); strings.HasPrefix(text, "gitdir:") {
		git = joined(top, strings.TrimSpace(strings.TrimPrefix(text, "gitdir:")))
		if common := strings.TrimSpace(string(regular(filepath.Join(git, "commondir")))); common != "" {
			git = joined(git, common)
		}
	}
	return r.With(base, regular(filepath.Join(git, "info", "exclude")))
}

func joined(dir, path string) string {
	if filepath.IsAbs(path) {
		return path
	}
	return filepath.Join(dir, path)
}

// regular reads a file, unless it is a link or no file, or too large for what it should be: then there is nothing.
func regular(path string) []byte {
	info, err := os.Lstat(path)
	if err != nil || !info.Mode().IsRegular() || info.Size() > maxRules {
		return nil
	}
	b, err := os.ReadFile(path)
	if err != nil {
		return nil
	}
	return b
}

// enter is the rules within a folder of the tree that has entries, given those of the folder around it.
func (w *walk) enter(t task, dir *folder, entries []entry) *ignore.Rules {
	rules, base := t.rules, strings.TrimSuffix(w.tree.inside+t.prefix(), "/")
	if slices.ContainsFunc(entries, func(e entry) bool { return e.name == ".git" }) {
		// A repository of its own: what is around it says nothing of it.
		rules = excluded(nil, filepath.Join(w.tree.whole, filepath.FromSlash(t.path)), base)
	}
	if slices.ContainsFunc(entries, func(e entry) bool { return e.name == ".gitignore" && e.mode.IsRegular() }) {
		file, err := dir.open(".gitignore")
		if err != nil {
			return rules
		}
		defer file.Close()
		if text, err := readAll(io.LimitReader(file, maxRules)); err == nil {
			rules = rules.With(base, text)
		}
	}
	return rules
}

func readAll(r io.Reader) ([]byte, error) { return io.ReadAll(r) }

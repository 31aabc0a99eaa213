package tree

import (
	"context"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"sync/atomic"

	"transship/internal/rewrite/ignore"
)

// Counts are how much of a tree was walked, and what was left out.
type Counts struct {
	Files    int `json:"files"`    // visited
	Ignored  int `json:"ignored"`  // files and folders that git ignores
	Vendored int `json:"vendored"` // folders that are somebody else's
	Links    int `json:"links"`    // symbolic links
	Special  int `json:"special"`  // pipes, sockets, devices
}

// Add adds what another walk counted.
func (c *Counts) Add(o Counts) {
	c.Files += o.Files
	c.Ignored += o.Ignored
	c.Vendored += o.Vendored
	c.Links += o.Links
	c.Special += o.Special
}

// Options are how to walk.
type Options struct {
	Workers int
	// Skip are left out, wherever they are: the documents that the run itself writes.
	Skip Skip
	// Visit is called for each file, by several workers at once, each with a number of its own below Workers. The place's
	// Dir is closed behind its back afterwards.
	Visit func(worker int, p Place)
	// Failed is told what could not be read, by its path in the tree; several may tell at once.
	Failed func(path string, err error)
}

// vendored are the names of folders that hold what others wrote, or what tools put there.
var vendored = map[string]bool{
	".git": true, ".hg": true, ".svn": true, ".jj": true, "vendor": true, "node_modules": true, "bower_components": true, "third_party": true,
	".terraform": true, ".terragrunt-cache": true, ".venv": true, "venv": true, "site-packages": true, "__pycache__": true, ".tox": true, "Pods": true,
}

// batch is how many files of one folder a worker takes at a time.
const batch = 128

// task is a folder, or some files of it.
type task struct {
	path  string // of the folder, in the tree
	from  *folder
	name  string // of the folder in from; empty where it is from itself
	rules *ignore.Rules
	names []string // nil: the folder itself
}

// folder is an open one. It stays open until all that is to be opened in it was, so that a path is not gone through anew
// for each: the last folders that were found are the next to be read, so few are open at a time.
type folder struct {
	*os.Root
	listing listing
	users   atomic.Int32
}

func (f *folder) release() {
	if f.users.Add(-1) == 0 {
		f.listing.close()
		_ = f.Close()
	}
}

// walk is one walk of a tree.
type walk struct {
	Options
	tree *Tree

	mu     sync.Mutex
	more   *sync.Cond
	tasks  []task
	busy   int
	idle   int // workers that wait
	counts Counts
}

// Walk visits the files of the tree, or the one that was named. It ends early when ctx does.
func (t *Tree) Walk(ctx context.Context, o Options) Counts {
	w := &walk{Options: o, tree: t}
	w.more = sync.NewCond(&w.mu)
	root, err := t.root.OpenRoot(".")
	if err != nil {
		o.Failed(".", Bare(err))
		return Counts{}
	}
	first := task{path: ".", from: &folder{Root: root}, rules: t.rules}
	first.from.users.Store(1)
	if t.only != "" {
		first.names = []string{t.only}
	}
	w.tasks = []task{first}
	defer context.AfterFunc(ctx, func() {
		w.mu.Lock()
		defer w.mu.Unlock()
		w.more.Broadcast()
	})()
	var all sync.WaitGroup
	for n := range max(1, o.Workers) {
		all.Go(func() { w.work(ctx, n) })
	}
	all.Wait()
	return w.counts
}

func (w *walk) work(ctx context.Context, worker int) {
	var counts Counts
	for {
		t, ok := w.next(ctx)
		if !ok {
			break
		}
		w.do(worker, t, &counts)
		w.mu.Lock()
		if w.busy--; w.busy == 0 && len(w.tasks) == 0 {
			w.more.Broadcast()
		}
		w.mu.Unlock()
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	w.counts.Add(counts)
}

// next waits for a task. There is none any more when nobody is busy who could add one.
func (w *walk) next(ctx context.Context) (task, bool) {
	w.mu.Lock()
	defer w.mu.Unlock()
	for len(w.tasks) == 0 && w.busy > 0 && ctx.Err() == nil {
		w.idle++
		w.more.Wait()
		w.idle--
	}
	if len(w.tasks) == 0 || ctx.Err() != nil {
		return task{}, false
	}
	last := len(w.tasks) - 1
	t := w.tasks[last]
	w.tasks = w.tasks[:last]
	w.busy++
	return t, true
}

func (w *walk) add(tasks ...task) {
	if len(tasks) == 0 {
		return
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	w.tasks = append(w.tasks, tasks...)
	for range min(w.idle, len(tasks)) {
		w.more.Signal()
	}
}

func (w *walk) do(worker int, t task, counts *Counts) {
	dir := t.from
	if t.name != "" {
		root, err := t.from.OpenRoot(t.name)
		t.from.release()
		if err != nil {
			w.Failed(t.path, Bare(err))
			return
		}
		dir = &folder{Root: root}
		dir.users.Store(1)
	}
	defer dir.release()
	if t.names == nil {
		t.names = w.list(t, dir, counts)
	}
	prefix := t.path + "/"
	if t.path == "." {
		prefix = ""
	}
	for _, name := range t.names {
		counts.Files++
		w.Visit(worker, Place{Tree: w.tree, Dir: dir.Root, Name: name, prefix: prefix, listing: dir.listing})
	}
}

// list reads a folder, adds the folders in it to what is to be done, and returns the files to visit, or the first of
// them where others may help with the rest.
func (w *walk) list(t task, dir *folder, counts *Counts) []string {
	entries, err := dir.read(filepath.Join(w.tree.whole, filepath.FromSlash(t.path)))
	if err != nil {
		w.Failed(t.path, Bare(err))
	}
	rules := w.enter(t, dir.Root, entries)
	prefix := t.path + "/"
	if t.path == "." {
		prefix = ""
	}
	var files []string
	var folders []task
	for _, e := range entries {
		name := e.Name()
		if w.skips(dir.Root, name) {
			continue
		}
		folder := e.IsDir()
		switch {
		case folder && vendored[name]:
			if name != ".git" {
				counts.Vendored++
			}
		case e.Type()&fs.ModeSymlink != 0:
			counts.Links++
		case !folder && !e.Type().IsRegular():
			counts.Special++
		case rules.Ignored(w.tree.inside+prefix+name, folder):
			counts.Ignored++
		case folder:
			folders = append(folders, task{path: prefix + name, from: dir, name: name, rules: rules})
		default:
			files = append(files, name)
		}
	}
	for rest := range slices.Chunk(files[min(batch, len(files)):], batch) {
		folders = append(folders, task{path: t.path, from: dir, names: rest})
	}
	dir.users.Add(int32(len(folders))) //nolint:gosec // entries of one folder
	w.add(folders...)
	return files[:min(batch, len(files))]
}

// read returns the entries of a folder by name, and as many as could be read with an error.
func (f *folder) read(path string) ([]fs.DirEntry, error) {
	file, err := f.Open(".")
	if err != nil {
		return nil, err
	}
	if f.listing, err = newListing(f.Root, file, path); err != nil {
		return nil, err
	}
	found, err := f.listing.entries()
	slices.SortFunc(found, func(a, b fs.DirEntry) int { return strings.Compare(a.Name(), b.Name()) })
	return found, err
}

func (w *walk) skips(dir *os.Root, name string) bool {
	known, ok := w.Skip[name]
	if !ok {
		return false
	}
	info, err := dir.Lstat(name)
	return err == nil && slices.ContainsFunc(known, func(k os.FileInfo) bool { return os.SameFile(k, info) })
}

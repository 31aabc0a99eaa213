package tree

import (
	"context"
	"io/fs"
	"os"
	"slices"
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
	// folder is closed behind its back afterwards.
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
	listing
	users atomic.Int32
}

func newFolder(l listing) *folder {
	f := &folder{listing: l}
	f.users.Store(1)
	return f
}

func (f *folder) release() {
	if f.users.Add(-1) == 0 {
		f.close()
	}
}

// entry is what a folder says of something in it.
type entry struct {
	name string
	mode fs.FileMode // its type alone
}

// hand is what one worker works with.
type hand struct {
	number int
	counts Counts
	buf    []byte // for folders
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
	top, err := listingOf(t.root)
	if err != nil {
		o.Failed(".", Bare(err))
		return Counts{}
	}
	first := task{path: ".", from: newFolder(top), rules: t.rules}
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
	h := hand{number: worker, buf: make([]byte, 64<<10)}
	for {
		t, ok := w.next(ctx)
		if !ok {
			break
		}
		w.do(&h, t)
		w.mu.Lock()
		if w.busy--; w.busy == 0 && len(w.tasks) == 0 {
			w.more.Broadcast()
		}
		w.mu.Unlock()
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	w.counts.Add(h.counts)
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

func (w *walk) do(h *hand, t task) {
	dir := t.from
	if t.name != "" {
		found, err := t.from.enter(t.name)
		t.from.release()
		if err != nil {
			w.Failed(t.path, Bare(err))
			return
		}
		dir = newFolder(found)
	}
	defer dir.release()
	if t.names == nil {
		t.names = w.list(h, t, dir)
	}
	prefix := t.prefix()
	for _, name := range t.names {
		h.counts.Files++
		w.Visit(h.number, Place{Tree: w.tree, Name: name, prefix: prefix, dir: dir})
	}
}

// prefix is what the paths in the folder begin with.
func (t task) prefix() string {
	if t.path == "." {
		return ""
	}
	return t.path + "/"
}

// list reads a folder, adds the folders in it to what is to be done, and returns the files to visit, or the first of
// them where others may help with the rest.
func (w *walk) list(h *hand, t task, dir *folder) []string {
	entries, err := dir.entries(h.buf)
	if err != nil {
		w.Failed(t.path, Bare(err))
	}
	rules := w.enter(t, dir, entries)
	prefix := t.prefix()
	files := make([]string, 0, len(entries))
	var folders []task
	for _, e := range entries {
		if w.skips(dir, e.name) {
			continue
		}
		switch {
		case e.mode.IsDir() && vendored[e.name]:
			if e.name != ".git" {
				h.counts.Vendored++
			}
		case e.mode&fs.ModeSymlink != 0:
			h.counts.Links++
		case !e.mode.IsDir() && !e.mode.IsRegular():
			h.counts.Special++
		case rules != nil && rules.Ignored(w.tree.inside+prefix+e.name, e.mode.IsDir()):
			h.counts.Ignored++
		case e.mode.IsDir():
			folders = append(folders, task{path: prefix + e.name, from: dir, name: e.name, rules: rules})
		default:
			files = append(files, e.name)
		}
	}
	for rest := range slices.Chunk(files[min(batch, len(files)):], batch) {
		folders = append(folders, task{path: t.path, from: dir, names: rest})
	}
	dir.users.Add(int32(len(folders))) //nolint:gosec // entries of one folder
	w.add(folders...)
	return files[:min(batch, len(files))]
}

func (w *walk) skips(dir *folder, name string) bool {
	known, ok := w.Skip[name]
	if !ok {
		return false
	}
	info, err := dir.lstat(name)
	return err == nil && slices.ContainsFunc(known, func(k os.FileInfo) bool { return os.SameFile(k, info) })
}

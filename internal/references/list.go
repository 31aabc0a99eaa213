package references

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"

	"github.com/opencontainers/go-digest"

	"transship/internal/ref"
)

// Entry is one thing that a List names.
type Entry struct {
	Text string // as it was written; of what was found in a manifest, the primary form
	// Names are what it may mean: one name, or one in each registry where no host was written; none where it is of another
	// registry, or Open.
	Names []Name
	Open  bool // only the beginning of a name is known
}

// List is what somebody names, in the order in which it was first named, each once. It takes memory for what is named, not
// for where.
type List struct {
	From    string // the file or folder, for messages
	Entries []Entry
}

// Empty reports whether nothing in the list is of the registries.
func (l List) Empty() bool {
	return !slices.ContainsFunc(l.Entries, func(e Entry) bool { return len(e.Names) > 0 })
}

var (
	errBinary = errors.New("it is neither a list of references nor a text")
	errNoList = errors.New("want HOST/NAME or NAME, and then :TAG, @DIGEST or neither")
)

// Read reads the list that path names: a text with one reference a line, any other text, which is searched, or a folder of
// such, whose links, binary files and .git are left out. "-" is stdin. The memory does not depend on how large they are.
func (f *Finder) Read(path string, stdin io.Reader) (List, error) {
	l := collector{finder: f, list: List{From: path}, seen: map[string]bool{}}
	var err error
	switch info, statErr := os.Stat(path); {
	case path == "-":
		l.list.From = "the standard input"
		err = l.file(stdin, true)
	case statErr != nil:
		err = statErr
	case info.IsDir():
		err = l.folder(path)
	default:
		err = l.named(path)
	}
	if pathErr, ok := errors.AsType[*fs.PathError](err); ok {
		err = fmt.Errorf("%s: %w", pathErr.Path, pathErr.Err) // the operation would only be Go's word for it
	} else if err != nil {
		err = fmt.Errorf("%s: %w", l.list.From, err)
	}
	return l.list, err
}

// collector gathers a list.
type collector struct {
	finder *Finder
	list   List
	seen   map[string]bool
}

func (l *collector) add(e Entry) {
	if !l.seen[e.Text] {
		l.seen[e.Text] = true
		l.list.Entries = append(l.list.Entries, e)
	}
}

func (l *collector) found(r Reference) {
	e := Entry{Text: r.String(), Names: []Name{r.Name}}
	if r.Open {
		e = Entry{Text: r.String() + "…", Open: true}
	}
	l.add(e)
}

// maybeList reports whether a file of that name may be a list: formats have extensions of their own.
func maybeList(path string) bool {
	switch strings.ToLower(filepath.Ext(path)) {
	case "", ".txt", ".list", ".lst":
		return true
	}
	return false
}

func (l *collector) named(path string) error {
	file, err := os.Open(path)
	if err != nil {
		return err
	}
	defer file.Close()
	return l.file(file, maybeList(path))
}

// folder reads the files of a folder and of those in it, by name. An os.Root lets nothing lead out of it.
func (l *collector) folder(path string) error {
	root, err := os.OpenRoot(path)
	if err != nil {
		return err
	}
	defer root.Close()
	return fs.WalkDir(root.FS(), ".", func(name string, d fs.DirEntry, err error) error {
		switch {
		case err != nil:
			return fmt.Errorf("%s: %w", name, err)
		case d.IsDir() && d.Name() == ".git":
			return fs.SkipDir
		case !d.Type().IsRegular():
			return nil
		}
		file, err := root.Open(name)
		if err != nil {
			return err
		}
		defer file.Close()
		if err := l.file(file, false); err != nil && !errors.Is(err, errBinary) {
			return fmt.Errorf("%s: %w", name, err)
		}
		return nil
	})
}

const (
	// chunk is how many bytes of a text are looked at together.
	chunk = 64 << 10
	// sniffed is how many bytes tell a binary file from a text: as many as git takes.
	sniffed = 8000
)

// file reads one text: as a list where it may be one and begins like one, and otherwise by searching it.
func (l *collector) file(r io.Reader, maybeList bool) error {
	b := bufio.NewReaderSize(r, chunk)
	mark, _ := b.Peek(2)
	if little := bytes.Equal(mark, []byte{0xff, 0xfe}); little || bytes.Equal(mark, []byte{0xfe, 0xff}) { // as PowerShell writes
		b = bufio.NewReaderSize(&utf16{from: b, little: little}, chunk)
	}
	begin, err := b.Peek(chunk)
	if err != nil && !errors.Is(err, io.EOF) {
		return err
	}
	if bytes.IndexByte(begin[:min(len(begin), sniffed)], 0) >= 0 {
		return errBinary
	}
	if maybeList && l.finder.beginsList(begin) {
		return l.lines(b)
	}
	return l.finder.scan(b, chunk, l.found)
}

// beginsList reports whether the first line that says anything is a reference: that of no other format is.
func (f *Finder) beginsList(b []byte) bool {
	for line := range bytes.Lines(b) {
		if text := bare(string(line)); text != "" {
			_, err := f.parse(text)
			return err == nil
		}
	}
	return false
}

// lines reads a list.
func (l *collector) lines(r io.Reader) error {
	s := bufio.NewScanner(r)
	for n := 1; s.Scan(); n++ {
		text := bare(s.Text())
		if text == "" {
			continue
		}
		e, err := l.finder.parse(text)
		if err != nil {
			return fmt.Errorf("line %d: %.200q is not a reference: %w", n, text, err)
		}
		l.add(e)
	}
	return s.Err()
}

// bare is a line without its comment, the spaces around it and the mark that some editors put before the first one.
func bare(line string) string {
	line = strings.TrimPrefix(line, "\ufeff")
	if i := strings.Index(line, "#"); i == 0 || i > 0 && (line[i-1] == ' ' || line[i-1] == '\t') {
		line = line[:i]
	}
	return strings.TrimSpace(line)
}

// scheme is what some tools write before a reference, such as docker-pullable://.
var scheme = regexp.MustCompile(`^[a-z][a-z-]*://`)

// parse reads HOST/NAME or NAME, with a tag, a digest, both or neither.
func (f *Finder) parse(text string) (Entry, error) {
	var n Name
	rest, d, ok := strings.Cut(scheme.ReplaceAllString(text, ""), "@")
	if ok {
		n.Digest = digest.Digest(d)
		if err := n.Digest.Validate(); err != nil {
			return Entry{}, fmt.Errorf("the digest is wrong: %w", err)
		}
	}
	if i := strings.LastIndexByte(rest, ':'); i > strings.LastIndexByte(rest, '/') {
		if tag := rest[i:]; tagLength([]byte(tag)) != len(tag) {
			return Entry{}, errNoList
		}
		rest, n.Tag = rest[:i], rest[i+1:]
	}
	e := Entry{Text: text}
	first, name, _ := strings.Cut(rest, "/")
	r, _, err := ref.ParseRegistry(first)
	switch {
	case err == nil && ref.ValidRepositoryName(name):
		if slices.Contains(f.registries, r) {
			n.Repository = r.Repository(name)
			e.Names = []Name{n}
		}
	case err != nil && ref.ValidRepositoryName(rest):
		for _, r := range f.registries {
			n.Repository = r.Repository(rest)
			e.Names = append(e.Names, n)
		}
	case err != nil && strings.ContainsAny(first, ".:") && ref.ValidRepositoryName(name): // of another registry
	default:
		return Entry{}, errNoList
	}
	return e, nil
}

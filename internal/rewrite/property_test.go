package rewrite

import (
	"bytes"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"transship/internal/document"
	"transship/internal/ref"
	"transship/internal/references"
	"transship/internal/rewrite/letters"
	"transship/internal/rewrite/splice"
	"transship/internal/rewrite/tree"
)

// hosts are the names of the source registry.
var hosts = []string{h, "123456789012.dkr.ecr-fips.us-east-1.amazonaws.com", "123456789012.dkr-ecr.us-east-1.on.aws", "123456789012.dkr-ecr-fips.us-east-1.on.aws"}

// drawText draws a text of references and of what may be around them.
func drawText(t *rapid.T, hosts []string) string {
	reference := rapid.Custom(func(t *rapid.T) string {
		return rapid.SampledFrom(hosts).Draw(t, "host") + "/" + rapid.SampledFrom([]string{"team/api", "team/web", "team/old", "team/none", "charts/web", "team/api/x"}).Draw(t, "name") +
			rapid.SampledFrom([]string{"", ":1.4.2", ":latest", ":9.9", ":${TAG}", ":2.0", "@" + sum.String(), ":1.4.2@" + sum.String(), "@" + lost.String(), "-${ENV}", "{{ .x }}", ":~1.4"}).Draw(t, "version")
	})
	other := rapid.SampledFrom([]string{
		"image: ", "\"", "'", "\n", "\r\n", "\t", " ", ",", "<", ">", "]", "}", "\\n", "\\\"", "# é😀 ", "=", ":-", "${X:-", "}", "a", "0", ".", "/", "//", "https://", "- ", "@", ":",
		h, h + "/", h + "/${x}", "602401143452.dkr.ecr.us-east-1.amazonaws.com/eks/pause:3.5", "210987654321.dkr.ecr.us-east-1.amazonaws.com/x/y", "public.ecr.aws/x/y", ".dkr.ecr.", "\xff", "\x00",
	})
	parts := rapid.SliceOfN(rapid.OneOf(reference, other, other), 0, 25).Draw(t, "parts")
	return strings.Join(parts, "")
}

// onDisk is a text in an encoding.
func onDisk(t *rapid.T, text string) []byte {
	mark := rapid.SampledFrom([]string{"", "\xef\xbb\xbf", "\xff\xfe", "\xfe\xff"}).Draw(t, "mark")
	e, err := letters.Of([]byte(mark))
	if err != nil {
		t.Fatal(err)
	}
	if e.IsWide() {
		text = strings.ToValidUTF8(text, "?")
	}
	return append([]byte(mark), e.Encode(text)...)
}

// single is what the whole way of one file comes to, without a disk.
func single(t interface{ Fatal(...any) }, s *scan, name string, raw []byte) (out []byte, w worker, c *change) {
	w = worker{buf: make([]byte, firstRead)}
	e, err := letters.Of(raw)
	if err != nil || len(raw) > maxWhole {
		return raw, w, nil
	}
	s.whole(&w, tree.Place{Tree: &tree.Tree{}, Name: name}, noFile{}, e, raw)
	if len(w.changes) == 0 {
		return raw, w, nil
	}
	var b bytes.Buffer
	if err := splice.Apply(&b, bytes.NewReader(raw), w.changes[0].splices()); err != nil {
		t.Fatal(err)
	}
	return b.Bytes(), w, w.changes[0]
}

// noFile is a file of which nobody asks more than whether it is there.
type noFile struct{}

func (noFile) Stat() (fs.FileInfo, error) { return nil, nil }

// blank replaces references of either side by one sign.
func blank(raw []byte, to letters.Encoding) string {
	text, err := to.Text(raw)
	if err != nil {
		return "not a text"
	}
	var b strings.Builder
	at := 0
	for r := range references.NewFinder(ref.Registry{Account: source.Account, Region: source.Region}).Find(text) {
		b.Write(text[at:r.Start])
		b.WriteString("✂" + r.Repository.Name)
		at = r.NameEnd
	}
	b.Write(text[at:])
	text, at = []byte(b.String()), 0
	b.Reset()
	for p := range references.NewPaths(target).Find(text) {
		b.Write(text[at:p.Start])
		b.WriteString("✂" + strings.TrimPrefix(p.Name, target+"/"))
		at = p.NameEnd
	}
	return b.String() + string(text[at:])
}

// Whatever a text is: only references change, a second run changes nothing, and the way back leads to the same bytes, by
// the record and, where each host has its first name, without one.
func TestOnlyReferencesChange(t *testing.T) {
	t.Parallel()
	k := known(t)
	rapid.Check(t, func(t *rapid.T) {
		checkFile(t, onDisk(t, drawText(t, hosts)), newScan(Config{Known: k, Workers: 1}))
	})
}

func checkFile(t interface {
	Fatal(...any)
	Fatalf(string, ...any)
}, raw []byte, forth *scan,
) {
	once, w, c := single(t, forth, "x.yaml", raw)
	if c == nil {
		if !bytes.Equal(once, raw) {
			t.Fatalf("%q became %q without a change", raw, once)
		}
		return
	}
	e := c.encoding
	if was, is := blank(raw, e), blank(once, e); was != is {
		t.Fatalf("more than references changed:\n%q\n%q", was, is)
	}
	twice, again, c2 := single(t, forth, "x.yaml", once)
	if c2 != nil || len(again.findings) != len(w.findings) {
		t.Fatalf("a second run makes %q of %q, and finds %v, not %v", twice, once, again.findings, w.findings)
	}
	back := newScan(Config{Known: forth.Known, Workers: 1, Reverse: true, Past: []document.FileChange{c.document()}})
	if returned, _, _ := single(t, back, "x.yaml", once); !bytes.Equal(returned, raw) {
		t.Fatalf("the way back leads to\n%q, not\n%q", returned, raw)
	}
}

func TestTheWayBackWithoutARecord(t *testing.T) {
	t.Parallel()
	k := known(t)
	rapid.Check(t, func(t *rapid.T) {
		raw := onDisk(t, drawText(t, hosts[:1]))
		once, _, _ := single(t, newScan(Config{Known: k, Workers: 1}), "x.yaml", raw)
		returned, _, _ := single(t, newScan(Config{Known: k, Workers: 1, Reverse: true}), "x.yaml", once)
		if !bytes.Equal(returned, raw) {
			t.Fatalf("the way back leads to\n%q, not\n%q", returned, raw)
		}
	})
}

// A file that is not held is changed like one that is.
func TestHugeFilesAreAsOthers(t *testing.T) {
	t.Parallel()
	k := known(t)
	rapid.Check(t, func(rt *rapid.T) {
		text := strings.ReplaceAll(drawText(rt, hosts), "\x00", "")
		pad := rapid.IntRange(0, 3*overlap).Draw(rt, "pad")
		// The parts lie around the ends of windows, which are whole-overlap apart.
		raw := []byte(text + strings.Repeat("-", window-2*overlap+pad-len(text)%100) + text + strings.Repeat("\n", 3) + strings.Repeat("-", window-2*overlap-pad) + text)
		s := newScan(Config{Known: k, Workers: 1})
		want, w, _ := single(rt, s, "x.txt", raw)
		path := filepath.Join(t.TempDir(), "x")
		if err := os.WriteFile(path, raw, 0o600); err != nil {
			rt.Fatal(err)
		}
		file, err := os.Open(path)
		if err != nil {
			rt.Fatal(err)
		}
		defer file.Close()
		got := worker{buf: make([]byte, maxWhole+1)}
		s.huge(&got, tree.Place{Tree: &tree.Tree{}, Name: "x.txt"}, file, letters.UTF8)
		if !slices.Equal(got.findings, w.findings) || got.aws != w.aws || len(got.changes) != len(w.changes) {
			rt.Fatalf("got  %d %v\nwant %d %v", len(got.changes), got.findings, len(w.changes), w.findings)
		}
		if len(got.changes) == 0 {
			return
		}
		var b bytes.Buffer
		if _, err := file.Seek(0, io.SeekStart); err != nil {
			rt.Fatal(err)
		}
		if err := splice.Apply(&b, file, got.changes[0].splices()); err != nil || !bytes.Equal(b.Bytes(), want) {
			rt.Fatalf("%v", err)
		}
		if !slices.Equal(got.changes[0].pieces, w.changes[0].pieces) {
			rt.Fatalf("got  %v\nwant %v", got.changes[0].pieces, w.changes[0].pieces)
		}
	})
}

// FuzzFile is TestOnlyReferencesChange for bytes of any kind, with all judges.
func FuzzFile(f *testing.F) {
	for _, seed := range []string{
		"image: " + h + "/team/api:1.4.2\r\n", "\xff\xfe" + string(letters.UTF16LE.Encode(h+"/team/web")), "\xef\xbb\xbf" + h + "/team/old:2.0",
		h + "/" + h + "/team/api", "registry: " + h + "\nrepository: team/web\ntag: v1\n", "images:\n- name: " + h + "/team/api\n  newTag: v1\n", "x: --set image.registry=" + h + ",image.repository=team/web\n", "x " + target + "/team/api:9.9 " + h + "/team/api@" + sum.String(),
	} {
		f.Add("values.yaml", []byte(seed))
	}
	k := known(f)
	plain, judged := newScan(Config{Known: k, Workers: 1}), newScan(Config{Known: k, Workers: 1, Judges: Judges()})
	f.Fuzz(func(t *testing.T, name string, raw []byte) {
		checkFile(t, raw, plain)
		_, _, c := single(t, judged, name, raw)
		if c == nil {
			return
		}
		once, _, _ := single(t, judged, name, raw)
		back := newScan(Config{Known: k, Workers: 1, Reverse: true, Past: []document.FileChange{c.document()}})
		if returned, _, _ := single(t, back, name, once); !bytes.Equal(returned, raw) {
			t.Fatalf("the way back leads to\n%q, not\n%q", returned, raw)
		}
		if twice, _, _ := single(t, judged, name, once); !bytes.Equal(twice, once) {
			t.Fatalf("a second run makes\n%q of\n%q", twice, once)
		}
	})
}

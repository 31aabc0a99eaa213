package e2e

import (
	"bufio"
	"bytes"
	"encoding/json"
	"errors"
	"io"
	"io/fs"
	"math/rand/v2"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/opencontainers/go-digest"

	"transship/internal/cloudsim"
	"transship/internal/cloudsim/corpus"
)

// kills is how often a process is killed.
const kills = 50

// small is a corpus of all kinds of content: indexes, referrers, artifacts, layers that repositories share. None of its
// layers is large enough to be read in ranges, so that each read of a blob is one request to S3.
func small() corpus.Spec { return corpus.Spec{Seed: 7, Releases: 1, LayerBytes: 2 << 10} }

// life is one process, from its start until it ends by itself or is killed.
type life struct {
	mu       sync.Mutex
	cmd      *exec.Cmd
	killAt   int                   // the number of the request at whose arrival it is killed; 0 is never
	requests int                   // so far
	killed   bool                  // whether the request arrived
	read     map[digest.Digest]int // how often each blob was asked for at S3
	written  map[digest.Digest]bool
	journal  map[digest.Digest]bool // what the journal knew when it had ended
	known    map[digest.Digest]bool // and before it began
}

// lives tells the lives of a world apart by the connections that they made: what one sent may reach the clouds when the
// next one runs already.
type lives struct {
	sim  *cloudsim.Sim
	mu   sync.Mutex
	by   map[string]*life // by the address that the clouds see
	next *life            // whose connections are made now
}

// watch tells the life that sent a request of it.
func (ls *lives) watch(w http.ResponseWriter, r *http.Request, next http.Handler) {
	ls.mu.Lock()
	l := ls.by[r.RemoteAddr]
	ls.mu.Unlock()
	if l != nil {
		l.watch(r)
	}
	next.ServeHTTP(w, r)
}

// tunnel is a proxy that notes whose connections it makes.
func (ls *lives) tunnel(w http.ResponseWriter, r *http.Request) {
	ls.mu.Lock()
	l := ls.next
	ls.mu.Unlock()
	cloud, err := ls.sim.DialContext(r.Context(), "tcp", r.Host)
	if err != nil {
		http.Error(w, err.Error(), http.StatusBadGateway)
		return
	}
	defer cloud.Close()
	ls.mu.Lock()
	ls.by[cloud.LocalAddr().String()] = l
	ls.mu.Unlock()
	client, buffered, err := http.NewResponseController(w).Hijack()
	if err != nil {
		return
	}
	defer client.Close()
	if _, err := io.WriteString(client, "HTTP/1.1 200 Connection established\r\n\r\n"); err != nil {
		return
	}
	var wg sync.WaitGroup
	wg.Go(func() { _, _ = io.Copy(cloud, buffered); _ = cloud.Close() })
	wg.Go(func() { _, _ = io.Copy(client, cloud); _ = client.Close() })
	wg.Wait()
}

// watch counts a request that arrives, and kills the process at the one that was chosen. So the moments are spread over what a run does, not over how fast this machine does it.
func (l *life) watch(r *http.Request) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.requests++
	if strings.HasSuffix(r.Host, "amazonaws.com") && strings.Contains(r.Host, "s3") && r.Method == http.MethodGet {
		l.read[digestIn(r.URL.Path)]++
	}
	if r.Method == http.MethodPut && strings.Contains(r.URL.Path, "/manifests/") {
		l.written[digest.Digest(path.Base(r.URL.Path))] = true
	}
	if l.requests == l.killAt {
		l.killed = true
		_ = l.cmd.Process.Kill() // SIGKILL: nothing of it runs any more
	}
}

// digestIn finds the digest in the path of a signed URL.
func digestIn(p string) digest.Digest {
	if i := strings.Index(p, "sha256"); i >= 0 {
		hex := strings.TrimLeft(p[i+len("sha256"):], ":/-_")
		if len(hex) >= 64 {
			return digest.NewDigestFromEncoded(digest.SHA256, hex[:64])
		}
	}
	return digest.Digest(p)
}

// live runs a migration in w until it ends or is killed.
func (ls *lives) live(t *testing.T, w *world, killAt int) (*life, result) {
	t.Helper()
	var stdout, stderr bytes.Buffer
	cmd := exec.CommandContext(t.Context(), os.Getenv("TRANSSHIP_BIN"), "migrate", "--yes", "--from", from, "--to", target, "-w", w.dir)
	l := &life{cmd: cmd, killAt: killAt, read: map[digest.Digest]int{}, written: map[digest.Digest]bool{}, known: w.journaled(t)}
	server := httptest.NewServer(http.HandlerFunc(ls.tunnel))
	ls.mu.Lock()
	ls.next = l
	ls.mu.Unlock()
	cmd.Dir, cmd.Stdout, cmd.Stderr = t.TempDir(), &stdout, &stderr
	cmd.Env = append(append([]string(nil), w.env...), "HTTPS_PROXY="+server.URL)
	l.mu.Lock() // no request finds the process before it is started
	err := cmd.Start()
	l.mu.Unlock()
	if err != nil {
		t.Fatal(err)
	}
	err = cmd.Wait()
	if _, exited := errors.AsType[*exec.ExitError](err); err != nil && !exited {
		t.Fatal(err)
	}
	server.Close()
	l.journal = w.journaled(t)
	l.mu.Lock()
	defer l.mu.Unlock()
	return l, result{stdout.String(), stderr.String(), cmd.ProcessState.ExitCode()}
}

// newLives starts a world to live in.
func newLives(t *testing.T) (*world, *lives) {
	t.Helper()
	w := newWorld(t, small())
	if _, err := w.sim.Start(); err != nil {
		t.Fatal(err)
	}
	ls := &lives{sim: w.sim, by: map[string]*life{}}
	w.sim.Faults.Set(cloudsim.Fault{Action: ls.watch}) // it spoils nothing
	return w, ls
}

// journaled are the blobs that the workspace's journal says have arrived.
func (w *world) journaled(t *testing.T) map[digest.Digest]bool {
	t.Helper()
	out := map[digest.Digest]bool{}
	f, err := os.Open(filepath.Join(w.dir, "journal.jsonl"))
	if errors.Is(err, fs.ErrNotExist) {
		return out
	}
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	for lines := bufio.NewScanner(f); lines.Scan(); {
		var e struct {
			Kind   string
			Digest digest.Digest
		}
		if json.Unmarshal(lines.Bytes(), &e) == nil && e.Kind == "blob" {
			out[e.Digest] = true
		}
	}
	return out
}

// moments are the requests at which to kill, of a run that needs total of them: one in each fiftieth, in any order.
func moments(seed uint64, total int) []int {
	random := rand.New(rand.NewPCG(seed, seed))
	out := make([]int, kills)
	for i, at := range random.Perm(kills) {
		out[i] = max(1, int((float64(at)+random.Float64())*float64(total)/kills))
	}
	return out
}

// TestKilledAtFiftyMoments kills migrations until each of fifty moments had its turn. A process is killed and started
// anew, with the same command, until one comes to its end before its moment; that one must have brought all, and the
// moment is kept for the next migration, which begins with empty clouds.
//
// A blob is in flight at a kill when S3 was asked for it in that life and the journal does not say that it arrived. Of
// all others none may be read again, and each of those once for each such kill. That the journal is not merely late
// follows from the manifests: whatever the clouds were given a manifest of has its blobs in the journal before.
func TestKilledAtFiftyMoments(t *testing.T) {
	t.Parallel()
	began := time.Now()
	whole, only := newLives(t)
	l, r := only.live(t, whole, 0)
	r.wantCode(t, "a migration that nobody kills", 0)
	total, unique := l.requests, len(l.read)
	ahead := moments(5, total)
	t.Logf("a whole run takes %d requests and reads %d blobs", total, unique)

	worlds, lived, again, flown := 0, 0, 0, 0
	for len(ahead) > 0 && !t.Failed() {
		w, ls := newLives(t)
		worlds++
		var all []*life
		for ended := false; !ended; {
			at := 0
			if len(ahead) > 0 {
				at = ahead[0]
			}
			l, r := ls.live(t, w, at)
			if all = append(all, l); l.killed {
				ahead = ahead[1:]
				continue
			}
			r.wantCode(t, "the run that nobody killed", 0)
			ended = true
		}
		if lived += len(all); lived > 10*kills {
			t.Fatalf("no run comes to request %d", ahead[0])
		}
		w.sim.Faults.Clear()
		more, f := w.account(t, all, unique)
		again, flown = again+more, flown+f
		checkAll(t, w)
	}
	t.Logf("%d kills in %d migrations and %d lives: %d blobs in flight, %d read again, in %v", kills-len(ahead), worlds, lived, flown, again, time.Since(began).Round(time.Second))
}

// account holds the lives of a world to what is promised. It counts at the end, when what a killed process had sent has
// arrived long since.
func (w *world) account(t *testing.T, all []*life, unique int) (again, flown int) {
	t.Helper()
	reads := map[digest.Digest]int{}
	inFlight := map[digest.Digest]int{} // at how many kills
	for _, l := range all {
		l.mu.Lock()
		for d, n := range l.read {
			reads[d] += n
			if l.known[d] {
				t.Errorf("%s is read again although the journal of an earlier run has it", d)
			}
			if l.killed && !l.journal[d] {
				inFlight[d]++
				flown++
			}
		}
		w.checkJournal(t, l, l.journal)
		l.mu.Unlock()
	}
	for d, n := range reads {
		again += n - 1
		if n > 1+inFlight[d] {
			t.Errorf("%s was read %d times, and in flight at %d kills", d, n, inFlight[d])
		}
	}
	if len(reads) != unique {
		t.Errorf("%d blobs were read, want %d", len(reads), unique)
	}
	return again, flown
}

// checkJournal wants the blobs of every manifest that arrived to be in the journal.
func (w *world) checkJournal(t *testing.T, l *life, journal map[digest.Digest]bool) {
	t.Helper()
	for _, repo := range w.corpus.Repositories {
		for _, img := range repo.Images {
			if !l.written[img.Digest] {
				continue
			}
			for _, d := range blobsOf(t, img) {
				if l.read[d] > 0 && !journal[d] {
					t.Errorf("the manifest %s was written before the journal knew of its blob %s", img.Digest, d)
				}
			}
		}
	}
}

// blobsOf are the blobs that a manifest names.
func blobsOf(t *testing.T, img corpus.Image) []digest.Digest {
	t.Helper()
	var m struct {
		Config struct{ Digest digest.Digest }
		Layers []struct {
			Digest digest.Digest
			URLs   []string
		}
	}
	if err := json.Unmarshal(img.Manifest, &m); err != nil {
		t.Fatal(err)
	}
	var out []digest.Digest
	if m.Config.Digest != "" {
		out = append(out, m.Config.Digest)
	}
	for _, l := range m.Layers {
		if len(l.URLs) == 0 {
			out = append(out, l.Digest)
		}
	}
	return out
}

// checkAll compares what the target holds, to the byte, with the corpus, and wants verify.json to say the same.
func checkAll(t *testing.T, w *world) {
	t.Helper()
	if v := readDocument[verification](t, w, "verify.json"); v.Missing+v.Mismatched != 0 || v.Verified == 0 {
		t.Errorf("verified: %+v", v)
	}
	for name, images := range w.imagesAt() {
		at := w.ar.Image(target + "/" + name)
		if at == nil {
			t.Errorf("%s is not there", name)
			continue
		}
		for _, img := range images {
			if m, ok := at.Manifest(img.Digest); !ok || !bytes.Equal(m.Bytes, img.Manifest) {
				t.Errorf("%s@%s did not arrive", name, img.Digest)
			}
			for _, tag := range img.Tags {
				if d, _ := at.TagDigest(tag); d != img.Digest {
					t.Errorf("%s:%s is %s, want %s", name, tag, d, img.Digest)
				}
			}
			for _, d := range blobsOf(t, img) {
				b, ok := at.Blob(d)
				if !ok || b.Size() != int64(len(w.corpus.Blobs[d])) {
					t.Errorf("%s lacks the blob %s", name, d)
				}
			}
		}
	}
}

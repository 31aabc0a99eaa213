package e2e

import (
	"bufio"
	"bytes"
	"encoding/json"
	"errors"
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
	handlers sync.WaitGroup // requests that the clouds are still busy with
}

// watch is a fault that spoils nothing: it tells the life of each request, and kills the process at the one that was
// chosen. So the moments are spread over what a run does, not over how fast this machine does it.
func (l *life) watch(w http.ResponseWriter, r *http.Request, next http.Handler) {
	l.handlers.Add(1)
	defer l.handlers.Done()
	l.mu.Lock()
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
	l.mu.Unlock()
	next.ServeHTTP(w, r)
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

// live runs a migration in w until it ends or is killed, and until the clouds are done with all that it had sent.
func (w *world) live(t *testing.T, killAt int) (*life, result) {
	t.Helper()
	var stdout, stderr bytes.Buffer
	cmd := exec.CommandContext(t.Context(), os.Getenv("TRANSSHIP_BIN"), "migrate", "--yes", "--from", from, "--to", target, "-w", w.dir)
	l := &life{cmd: cmd, killAt: killAt, read: map[digest.Digest]int{}, written: map[digest.Digest]bool{}}
	w.sim.Faults.Set(cloudsim.Fault{Action: l.watch})
	var tunnels sync.WaitGroup
	proxy := w.sim.Proxy()
	server := httptest.NewServer(http.HandlerFunc(func(rw http.ResponseWriter, r *http.Request) {
		tunnels.Add(1)
		defer tunnels.Done()
		proxy.ServeHTTP(rw, r)
	}))
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
	tunnels.Wait()
	l.handlers.Wait()
	return l, result{stdout.String(), stderr.String(), cmd.ProcessState.ExitCode()}
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
	whole := newWorld(t, small())
	if _, err := whole.sim.Start(); err != nil {
		t.Fatal(err)
	}
	l, r := whole.live(t, 0)
	r.wantCode(t, "a migration that nobody kills", 0)
	total, unique := l.requests, len(l.read)
	ahead := moments(5, total)
	t.Logf("a whole run takes %d requests and reads %d blobs", total, unique)

	worlds, lives, again, flown := 0, 0, 0, 0
	for len(ahead) > 0 && !t.Failed() {
		w := newWorld(t, small())
		if _, err := w.sim.Start(); err != nil {
			t.Fatal(err)
		}
		worlds++
		reads := map[digest.Digest]int{}
		inFlight := map[digest.Digest]int{} // at how many kills
		for ended := false; !ended; {
			known, at := w.journaled(t), 0
			if len(ahead) > 0 {
				at = ahead[0]
			}
			l, r := w.live(t, at)
			lives++
			now := w.journaled(t)
			for d, n := range l.read {
				reads[d] += n
				if known[d] {
					t.Errorf("%s is read again although the journal of an earlier run has it", d)
				}
				if l.killed && !now[d] {
					inFlight[d]++
					flown++
				}
			}
			w.checkJournal(t, l, now)
			if l.killed {
				ahead = ahead[1:]
				continue
			}
			r.wantCode(t, "the run that nobody killed", 0)
			ended = true
			if len(reads) > 0 && at > 0 && lives > 10*kills {
				t.Fatalf("no run comes to request %d", at)
			}
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
		w.sim.Faults.Clear()
		checkAll(t, w)
	}
	t.Logf("%d kills in %d migrations and %d lives: %d blobs in flight, %d read again, in %v", kills-len(ahead), worlds, lives, flown, again, time.Since(began).Round(time.Second))
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

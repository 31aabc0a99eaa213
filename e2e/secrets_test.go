package e2e

import (
	"encoding/base64"
	"io/fs"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"transship/internal/cloudsim"
	"transship/internal/cloudsim/corpus"
)

// TestNoSecretIsWritten has the binary tell all that it can, in trouble too, and searches it for every secret that it
// was given or got on the way.
func TestNoSecretIsWritten(t *testing.T) {
	t.Parallel()
	w := newWorld(t, corpus.Demo())
	secrets := &spy{found: map[string]string{secretKey: "the AWS secret key", googleToken: "the Google access token"}}
	w.sim.Handle(from, secrets.watch(w.ecr, w.ecr.Kind))
	s3 := w.ecr.Handlers()[w.ecr.Region().S3Host()]
	w.sim.Handle(w.ecr.Region().S3Host(), secrets.watch(s3, s3.(cloudsim.Kinder).Kind))
	w.throughProxy(t)
	w.sim.Faults.Set(
		cloudsim.Fault{Kind: "s3.get", Nth: 2, Action: cloudsim.CutBody(100)},
		cloudsim.Fault{Kind: "s3.get", Nth: 5, Action: cloudsim.Reset()},
		cloudsim.Fault{Kind: "s3.get", Nth: 9, Action: cloudsim.Status(http.StatusForbidden)},
		cloudsim.Fault{Kind: "ecr.v2.blob.get", Nth: 12, Action: cloudsim.Status(http.StatusUnauthorized)},
		cloudsim.Fault{Kind: "ar.v2.manifest.put", Nth: 3, Action: cloudsim.Status(http.StatusUnauthorized)},
		cloudsim.Fault{Kind: "ar.v2.manifest.put", Nth: 6, Action: cloudsim.Status(http.StatusBadRequest)},
	)
	said := map[string]string{}
	for _, args := range [][]string{{"migrate", "--yes", "-v"}, {"copy", "-v", "--log-format", "json"}, {"verify", "--deep", "-v", "--json"}} {
		args = append(args, "--from", from, "--to", target, "-w", w.dir)
		r := w.command(t, os.Getenv("TRANSSHIP_BIN"), args...)
		if r.code != 0 && (r.code != 3 || args[0] != "migrate") { // the trouble may leave work for the copy
			r.wantCode(t, strings.Join(args, " "), 0)
		}
		said["stdout of "+args[0]], said["stderr of "+args[0]] = r.stdout, r.stderr
	}
	if w.sim.Faults.Fired() == 0 {
		t.Error("no trouble came up")
	}
	if !strings.Contains(said["stderr of migrate"], "level=DEBUG") {
		t.Errorf("-v tells little:\n%.500s", said["stderr of migrate"])
	}
	documents := readAll(t, w.dir)
	if len(documents) < 6 {
		t.Errorf("the workspace holds %d files", len(documents))
	}
	for _, texts := range []map[string]string{said, documents} {
		for where, text := range texts {
			for secret, what := range secrets.all() {
				if i := strings.Index(text, secret); i >= 0 {
					t.Errorf("%s is in %s: …%s", what, where, text[max(0, i-200):i])
				}
			}
		}
	}
	if n := len(secrets.all()); n < 5 {
		t.Errorf("only %d secrets were looked for", n)
	}
}

// readAll are all files of a folder.
func readAll(t *testing.T, dir string) map[string]string {
	t.Helper()
	files := map[string]string{}
	err := filepath.WalkDir(dir, func(path string, e fs.DirEntry, err error) error {
		if err != nil || e.IsDir() {
			return err
		}
		b, err := os.ReadFile(path)
		files[filepath.Base(path)] = string(b)
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return files
}

// spy collects the secrets that requests carry.
type spy struct {
	mu    sync.Mutex
	found map[string]string // secret to what it is
}

// watch has the spy read what h is sent.
func (s *spy) watch(h http.Handler, kind func(*http.Request) string) http.Handler {
	return watched{kind: kind, Handler: http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		s.read(r)
		h.ServeHTTP(w, r)
	})}
}

func (s *spy) read(r *http.Request) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if signature := r.URL.Query().Get("X-Amz-Signature"); signature != "" {
		s.found[signature] = "the signature of an S3 URL"
	}
	if encoded, ok := strings.CutPrefix(r.Header.Get("Authorization"), "Basic "); ok {
		s.found[encoded] = "ECR's authorization token"
		if pair, err := base64.StdEncoding.DecodeString(encoded); err == nil {
			_, password, _ := strings.Cut(string(pair), ":")
			s.found[password] = "ECR's password"
		}
	}
}

func (s *spy) all() map[string]string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.found
}

// watched is a handler whose requests are counted as what they were.
type watched struct {
	http.Handler
	kind func(*http.Request) string
}

// Kind names a request.
func (w watched) Kind(r *http.Request) string { return w.kind(r) }

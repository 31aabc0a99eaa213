package e2e

import (
	"encoding/base64"
	"fmt"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"regexp"
	"runtime"
	"strings"
	"testing"

	"transship/internal/cloudsim"
	"transship/internal/cloudsim/corpus"
)

const refreshToken = "1//e2e-refresh-token-0f5c7d9b"

// TestNoIssuedSecretIsWritten runs the stages one by one, in debug logs of both forms, through a bad day: credentials
// that expire on both sides, redirects that lead to strangers and in circles, and servers that repeat in their errors
// what they were sent. Then it searches all that was written for every secret that went over the wire in either
// direction.
func TestNoIssuedSecretIsWritten(t *testing.T) {
	t.Parallel()
	w := newWorld(t, corpus.Demo())
	w.env = append(w.env, "GOOGLE_OAUTH_ACCESS_TOKEN=", "GOOGLE_APPLICATION_CREDENTIALS="+writeFile(t, "adc.json", []byte(
		`{"type":"authorized_user","client_id":"x.apps.googleusercontent.com","client_secret":"e2e-client-secret","refresh_token":"`+refreshToken+`"}`)))
	w.throughProxy(t)
	wire := &spy{found: map[string]string{
		secretKey: "the AWS secret key", refreshToken: "the Google refresh token", "e2e-client-secret": "the OAuth client's secret",
	}}
	odd := "https://stranger.example/layer?X-Amz-Signature=0ddc0ffee0ddc0ffee&X-Amz-Security-Token=0ddt0ken0ddt0ken"
	w.sim.Handle("stranger.example", http.HandlerFunc(echo))
	w.sim.Faults.Set(append([]cloudsim.Fault{{Action: wire.overhear}}, badDay(w, odd)...)...)
	said := map[string]string{}
	for n, args := range [][]string{
		{"inventory"}, {"plan", "--log-format", "json"}, {"provision", "--yes"}, {"copy"}, {"copy", "--log-format", "json"},
		{"copy"}, {"verify", "--deep", "--log-format", "json"}, {"verify", "--json"}, {"status"},
	} {
		line := append(args, "-v", "--from", from, "--to", target, "-w", w.dir)
		r := w.command(t, os.Getenv("TRANSSHIP_BIN"), line...)
		if r.code != 0 && r.code != 3 || n >= 5 && r.code != 0 {
			t.Errorf("%v ended with %d:\n%.2000s", args, r.code, r.stderr)
		}
		said[fmt.Sprintf("stdout of %d, %v", n, args)], said[fmt.Sprintf("stderr of %d, %v", n, args)] = r.stdout, r.stderr
	}
	for where, text := range readAll(t, w.dir) {
		said["the document "+where] = text
	}
	if fired := w.sim.Faults.Fired() - w.sim.Counts().Total(); fired < 8 {
		t.Errorf("only %d requests were spoiled", fired)
	}
	wire.search(t, said)
	kinds := map[string]bool{}
	for _, what := range wire.all() {
		kinds[what] = true
	}
	for _, want := range []string{"ECR's password", "a token of Google's", "the signature of an S3 URL", "the signature of a request to AWS", "a token that was issued"} {
		if !kinds[want] {
			t.Errorf("nothing looked for %s", want)
		}
	}
}

// badDay are the faults. What they do to a request, its repetition mends, or the next copy does.
func badDay(w *world, odd string) []cloudsim.Fault {
	redirect := func(to string) cloudsim.Action {
		return func(rw http.ResponseWriter, r *http.Request, _ http.Handler) {
			if to == "" {
				to = r.URL.RequestURI()
			}
			rw.Header().Set("Location", to)
			rw.WriteHeader(http.StatusTemporaryRedirect)
		}
	}
	expire := func(rw http.ResponseWriter, r *http.Request, next http.Handler) {
		w.ecr.Region().ExpireTokens()
		next.ServeHTTP(rw, r)
	}
	repeat := func(rw http.ResponseWriter, r *http.Request, _ http.Handler) { echo(rw, r) }
	return []cloudsim.Fault{
		{Kind: "ecr.v2.blob.get", Nth: 2, Action: expire},
		{Kind: "ecr.v2.blob.get", Nth: 4, Action: redirect(odd)},
		{Kind: "ecr.v2.blob.get", Nth: 6, Action: redirect("http://" + from + "/plain?X-Amz-Signature=0ddc0ffee0ddc0ffee")},
		{Kind: "ecr.v2.blob.get", Nth: 8, Action: redirect("https://user:0ddt0ken0ddt0ken@stranger.example/")},
		{Kind: "ecr.v2.blob.get", Nth: 10, Action: repeat},
		{Kind: "s3.get", Nth: 3, Action: repeat},
		{Kind: "ar.v2.manifest.put", Nth: 2, Action: cloudsim.Status(http.StatusUnauthorized)},
		{Kind: "ar.v2.manifest.put", Nth: 5, Action: repeat},
		{Kind: "ar.v2.upload.*", Nth: 3, Action: repeat},
		{Kind: "ecr.DescribeImages", Nth: 2, Action: func(rw http.ResponseWriter, r *http.Request, next http.Handler) {
			cloudsim.AWSError(http.StatusInternalServerError, "ServerException", "refused: "+r.Header.Get("Authorization"))(rw, r, next)
		}},
		{Kind: "ar.api.*", Nth: 2, Action: func(rw http.ResponseWriter, r *http.Request, _ http.Handler) {
			rw.WriteHeader(http.StatusServiceUnavailable)
			_, _ = fmt.Fprintf(rw, `{"error":{"code":503,"message":"no: %s"}}`, r.Header.Get("Authorization"))
		}},
	}
}

// echo answers as the clumsiest of servers, with all that it was sent.
func echo(rw http.ResponseWriter, r *http.Request) {
	bare := r.Header.Get("Authorization")
	_, bare, _ = strings.Cut(bare, " ")
	if pair, err := base64.StdEncoding.DecodeString(bare); err == nil {
		bare += " " + string(pair)
	}
	rw.WriteHeader(http.StatusBadRequest)
	_, _ = fmt.Fprintf(rw, "cannot read https://%s%s, sent with Authorization: %s, which is %q\x1b[2J", r.Host, r.URL.RequestURI(), r.Header.Get("Authorization"), bare)
}

var (
	awsSignature = regexp.MustCompile(`Signature=([0-9a-f]{64})`)
	issuedTokens = regexp.MustCompile(`"(?:access_token|authorizationToken|token|id_token)"\s*:\s*"([^"]{8,})"`)
)

// overhear is an action that spoils nothing: it collects the secrets of a request and of its answer.
func (s *spy) overhear(rw http.ResponseWriter, r *http.Request, next http.Handler) {
	s.read(r)
	s.mu.Lock()
	if m := awsSignature.FindStringSubmatch(r.Header.Get("Authorization")); m != nil {
		s.found[m[1]] = "the signature of a request to AWS"
	}
	if bearer, ok := strings.CutPrefix(r.Header.Get("Authorization"), "Bearer "); ok {
		s.found[bearer] = "a token of Google's"
	}
	s.mu.Unlock()
	next.ServeHTTP(&listening{ResponseWriter: rw, spy: s}, r)
}

// listening is an answer that a spy reads.
type listening struct {
	http.ResponseWriter
	spy *spy
}

// Unwrap lets a fault hang up.
func (l *listening) Unwrap() http.ResponseWriter { return l.ResponseWriter }

// WriteHeader passes a Location's secrets to the spy.
func (l *listening) WriteHeader(status int) {
	if to, err := url.Parse(l.Header().Get("Location")); err == nil {
		l.spy.mu.Lock()
		for _, name := range []string{"X-Amz-Signature", "X-Amz-Security-Token"} {
			if v := to.Query().Get(name); v != "" {
				l.spy.found[v] = "the signature of an S3 URL"
			}
		}
		if password, ok := to.User.Password(); ok {
			l.spy.found[password] = "the password in a Location"
		}
		l.spy.mu.Unlock()
	}
	l.ResponseWriter.WriteHeader(status)
}

// Write passes the tokens of an answer to the spy.
func (l *listening) Write(b []byte) (int, error) {
	if strings.Contains(l.Header().Get("Content-Type"), "json") && len(b) < 1<<20 {
		l.spy.mu.Lock()
		for _, m := range issuedTokens.FindAllSubmatch(b, -1) {
			l.spy.found[string(m[1])] = "a token that was issued"
		}
		l.spy.mu.Unlock()
	}
	return l.ResponseWriter.Write(b)
}

// search looks for every secret in every text.
func (s *spy) search(t *testing.T, texts map[string]string) {
	t.Helper()
	for where, text := range texts {
		for secret, what := range s.all() {
			if i := strings.Index(text, secret); i >= 0 {
				t.Errorf("%s is in %s: …%s", what, where, text[max(0, i-200):i])
			}
		}
		if strings.ContainsAny(text, "\x1b\u009b\x07") {
			t.Errorf("an escape is in %s", where)
		}
	}
}

// TestChildrenGetNoSecret lets docker's credential helper give the target's credential, and looks at what such a child
// is given: neither its environment nor the command lines of both processes hold a token.
func TestChildrenGetNoSecret(t *testing.T) {
	t.Parallel()
	if runtime.GOOS != "linux" {
		t.Skip("the helper reads /proc")
	}
	w := newWorld(t, corpus.Flat(2, 2)).throughProxy(t)
	home, dump := t.TempDir(), filepath.Join(t.TempDir(), "seen")
	if err := os.MkdirAll(filepath.Join(home, ".docker"), 0o700); err != nil {
		t.Fatal(err)
	}
	helper := "#!/bin/sh\n{ echo \"called: $*\"; env; tr '\\0' ' ' </proc/$PPID/cmdline; } >>" + dump +
		"\ncat >/dev/null\necho '{\"Username\":\"oauth2accesstoken\",\"Secret\":\"" + googleToken + "\"}'\n"
	for path, text := range map[string]string{
		filepath.Join(home, ".docker", "config.json"): `{"credHelpers":{"` + targetHost + `":"e2e"}}`,
		filepath.Join(home, "docker-credential-e2e"):  helper,
	} {
		if err := os.WriteFile(path, []byte(text), 0o700); err != nil { //nolint:gosec // a program
			t.Fatal(err)
		}
	}
	w.env = append(w.env, "GOOGLE_OAUTH_ACCESS_TOKEN=", "HOME="+home, "PATH="+home+string(os.PathListSeparator)+os.Getenv("PATH"), "AWS_SECRET_ACCESS_KEY="+secretKey)
	wire := &spy{found: map[string]string{googleToken: "the Google access token"}}
	w.sim.Faults.Set(cloudsim.Fault{Action: wire.overhear})
	w.transship(t, 0, "migrate", "--yes", "-v")
	seen, err := os.ReadFile(dump)
	if err != nil || !strings.Contains(string(seen), "called: get") {
		t.Fatalf("the helper was not called: %v %s", err, seen)
	}
	wire.search(t, map[string]string{"what the helper was given": string(seen)})
	wire.search(t, readAll(t, w.dir))
}

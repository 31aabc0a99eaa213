// Package world is where the bench takes place: embedded clouds on the loopback interface, the credentials that open
// them, and what the target says about what arrived.
//
// Vocabulary: a World is one pair of clouds, used for one measured run and then closed; its source holds a corpus, its
// target is an Artifact Registry repository that exists and is empty, or complete where a second run is measured.
//
//	tool ─ HTTPS_PROXY ─▶ CONNECT proxy ─▶ round-trip time on the connection ─▶ TLS at the real names ─▶ clouds
package world

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/opencontainers/go-digest"

	"transship/bench/limit"
	"transship/bench/need"
	"transship/internal/cloudsim"
	"transship/internal/cloudsim/arsim"
	"transship/internal/cloudsim/corpus"
	"transship/internal/cloudsim/ecrsim"
	"transship/internal/cloudsim/store"
)

// The names at which the clouds answer.
const (
	Account = "123456789012"
	Region  = "us-east-1"
	Source  = Account + ".dkr.ecr." + Region + ".amazonaws.com"
	S3Host  = "prod-us-east-1-starport-layer-bucket.s3.us-east-1.amazonaws.com"

	location   = "us"
	project    = "my-gcp-project"
	repository = "app-images"
	TargetHost = location + "-docker.pkg.dev"
	Target     = TargetHost + "/" + project + "/" + repository

	accessKey = "AKIDBENCHBENCHBENCH0"
	secretKey = "bench"
	token     = "ya29.bench"
)

// Sides are both names.
func Sides() need.Sides { return need.Sides{Source: Source, Target: Target} }

// Options say what a world is like. The zero value is one without latency, quotas or limits.
type Options struct {
	RTT time.Duration
	// Quotas are Artifact Registry's; the zero value has none.
	Quotas arsim.Quotas
	// Complete makes the target hold all that it must hold, without a copy.
	Complete bool
	// Forget drops blobs over that many bytes at the target once their digest is checked; 0 keeps all.
	Forget int64
	// SourceBandwidth holds each connection to S3 to so many bytes a second; 0 does not.
	SourceBandwidth int64
	// Large are blobs of the corpus that are not in memory.
	Large map[digest.Digest]store.Blob
}

// World is one pair of clouds. Make it with New and end it with Close.
type World struct {
	Sim    *cloudsim.Sim
	Corpus *corpus.Corpus
	// Dir is a folder for this world alone; Close removes it.
	Dir string

	source *ecrsim.Registry
	ar     *arsim.Cloud
	proxy  string
	login  limit.Credentials
}

// New starts a world whose source holds c.
func New(ctx context.Context, c *corpus.Corpus, opts Options) (w *World, err error) {
	o := cloudsim.Options{RTT: opts.RTT}
	o.AR.Token, o.AR.ForgetBlobsOver, o.AR.Quotas = token, opts.Forget, opts.Quotas
	if opts.Quotas == (arsim.Quotas{}) {
		o.AR.Quotas = arsim.NoQuotas()
	}
	if opts.SourceBandwidth > 0 {
		o.HostBandwidth = map[string]int64{S3Host: opts.SourceBandwidth}
	}
	w = &World{Sim: cloudsim.New(o), Corpus: c}
	defer func() {
		if err != nil {
			err = errors.Join(fmt.Errorf("start the embedded clouds: %w", err), w.Close())
		}
	}()
	if w.Dir, err = os.MkdirTemp("", "transship-bench-"); err != nil {
		return w, err
	}
	w.source, w.ar = w.Sim.ECR(Account, Region), w.Sim.AR()
	w.source.Load(c)
	for d, b := range opts.Large {
		for _, repo := range c.Repositories {
			if slices.Contains(repo.Blobs, d) {
				w.source.Repository(repo.Name).Content.PutBlob(d, b)
			}
		}
	}
	w.source.SetAccessKeys(accessKey)
	if err := w.ar.CreateRepository(location, project, repository, arsim.Repository{Format: "DOCKER"}); err != nil {
		return w, err
	}
	if opts.Complete {
		if err := w.complete(); err != nil {
			return w, err
		}
	}
	if _, err := w.Sim.Start(); err != nil {
		return w, err
	}
	if w.proxy, err = w.Sim.StartProxy(); err != nil {
		return w, err
	}
	if err := w.logIn(ctx); err != nil {
		return w, err
	}
	return w, w.writeFiles()
}

// complete puts all that can be copied into the target, as of now: a large corpus has push times in the future, which a
// listing would not show yet.
func (w *World) complete() error {
	var failed error
	now := time.Now()
	need.Served(w.Corpus).Load(func(name string) *store.Repository {
		image, err := w.ar.EnsureImage(Target + "/" + name)
		if err != nil {
			failed = errors.Join(failed, err)
			return store.NewRepository()
		}
		return image
	}, corpus.Hooks{Image: func(name string, img corpus.Image) {
		if image := w.ar.Image(Target + "/" + name); image != nil {
			image.SetPushedAt(img.Digest, now)
		}
	}})
	return failed
}

// Close ends the clouds and removes the folder.
func (w *World) Close() error { return errors.Join(w.Sim.Close(), os.RemoveAll(w.Dir)) }

// logIn asks ECR for the password of its data plane, as aws ecr get-login-password does, so that what the peers are
// handed costs them nothing.
func (w *World) logIn(ctx context.Context) error {
	r, err := http.NewRequestWithContext(ctx, http.MethodPost, "https://"+w.source.Region().APIHosts()[0]+"/", strings.NewReader("{}"))
	if err != nil {
		return err
	}
	r.Header.Set("X-Amz-Target", "AmazonEC2ContainerRegistry_V20150921.GetAuthorizationToken")
	r.Header.Set("Content-Type", "application/x-amz-json-1.1")
	r.Header.Set("Authorization", "AWS4-HMAC-SHA256 Credential="+accessKey+"/20260101/"+Region+"/ecr/aws4_request, SignedHeaders=host, Signature=0")
	client := w.Sim.HTTPClient()
	defer client.CloseIdleConnections()
	answer, err := client.Do(r)
	if err != nil {
		return err
	}
	defer answer.Body.Close()
	var body struct {
		AuthorizationData []struct {
			AuthorizationToken []byte `json:"authorizationToken"` // base64, as []byte is in JSON
		} `json:"authorizationData"`
	}
	if err := json.NewDecoder(answer.Body).Decode(&body); err != nil || len(body.AuthorizationData) != 1 {
		return fmt.Errorf("GetAuthorizationToken: %s, %w", answer.Status, err)
	}
	_, password, _ := strings.Cut(string(body.AuthorizationData[0].AuthorizationToken), ":")
	w.login = limit.Credentials{AccessKey: accessKey, ECRPassword: password, TargetToken: token}
	return nil
}

// Credentials are what the bare minimum client is handed.
func (w *World) Credentials() limit.Credentials { return w.login }

// writeFiles writes the authority's certificate and the peers' configuration.
func (w *World) writeFiles() error {
	docker, err := json.Marshal(map[string]any{"auths": map[string]any{
		Source:     login("AWS", w.login.ECRPassword),
		TargetHost: login("oauth2accesstoken", token),
	}})
	if err != nil {
		return err
	}
	for name, content := range map[string][]byte{"ca.pem": w.Sim.CAPEM(), "config.json": docker} {
		if err := os.WriteFile(filepath.Join(w.Dir, name), content, 0o600); err != nil {
			return err
		}
	}
	return nil
}

func login(user, password string) map[string]any {
	return map[string]any{"username": user, "password": password, "auth": []byte(user + ":" + password)}
}

// Env is the environment of every tool: how to reach the clouds, and nothing of the user's accounts.
func (w *World) Env(more ...string) []string {
	env := slices.DeleteFunc(os.Environ(), func(entry string) bool {
		name, _, _ := strings.Cut(strings.ToUpper(entry), "=")
		for _, prefix := range []string{"AWS_", "GOOGLE_", "GCLOUD_", "CLOUDSDK_", "SSL_CERT_", "DOCKER_", "TRANSSHIP_", "XDG_", "REGISTRY_"} {
			if strings.HasPrefix(name, prefix) {
				return true
			}
		}
		return strings.HasSuffix(name, "_PROXY") || name == "HOME"
	})
	env = append(env, "HOME="+w.Dir, "HTTPS_PROXY="+w.proxy, "SSL_CERT_FILE="+filepath.Join(w.Dir, "ca.pem"))
	return append(env, more...)
}

// TransshipEnv is Env with the credentials that Transship looks for.
func (w *World) TransshipEnv() []string {
	return w.Env("AWS_ACCESS_KEY_ID="+accessKey, "AWS_SECRET_ACCESS_KEY="+secretKey, "GOOGLE_OAUTH_ACCESS_TOKEN="+token)
}

// PeerEnv is Env with a Docker configuration that logs in to both sides.
func (w *World) PeerEnv() []string { return w.Env("DOCKER_CONFIG=" + w.Dir) }

// LimitEnv is Env with the credentials of the bare minimum client.
func (w *World) LimitEnv() []string {
	return w.Env("LIMIT_ACCESS_KEY="+w.login.AccessKey, "LIMIT_ECR_PASSWORD="+w.login.ECRPassword, "LIMIT_TARGET_TOKEN="+w.login.TargetToken)
}

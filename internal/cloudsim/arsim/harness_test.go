package arsim_test

import (
	"bytes"
	"context"
	"encoding/json"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/opencontainers/go-digest"
	"github.com/opencontainers/image-spec/specs-go"
	ocispec "github.com/opencontainers/image-spec/specs-go/v1"
	"google.golang.org/api/artifactregistry/v1"
	"google.golang.org/api/option"

	"transship/internal/cloudsim/arsim"
)

const (
	project = "my-gcp-project"
	host    = "https://us-docker.pkg.dev"
	parent  = "projects/my-gcp-project/locations/us"
	repoURL = host + "/v2/my-gcp-project/app-images"
)

// clock is a clock that stands until it is moved.
type clock struct {
	mu  sync.Mutex
	now time.Time
}

func (c *clock) Now() time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.now
}

func (c *clock) advance(d time.Duration) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.now = c.now.Add(d)
}

// world is a Cloud behind a TLS server that all names lead to, with the repository app-images in us.
type world struct {
	*arsim.Cloud
	t      *testing.T
	clock  *clock
	client *http.Client // follows no redirect
	token  string
}

func newWorld(t *testing.T, opts arsim.Options) *world {
	t.Helper()
	c := &clock{now: time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)}
	opts.Now = c.Now
	cloud := arsim.New(opts)
	if err := cloud.CreateRepository("us", project, "app-images", arsim.Repository{}); err != nil {
		t.Fatal(err)
	}
	srv := httptest.NewTLSServer(cloud)
	t.Cleanup(srv.Close)
	transport := srv.Client().Transport.(*http.Transport).Clone()
	transport.TLSClientConfig.ServerName = "example.com" // the name in the test server's certificate
	transport.DialContext = func(ctx context.Context, _, _ string) (net.Conn, error) {
		return new(net.Dialer).DialContext(ctx, "tcp", srv.Listener.Addr().String())
	}
	t.Cleanup(transport.CloseIdleConnections)
	client := &http.Client{Transport: transport, CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}
	return &world{Cloud: cloud, t: t, clock: c, client: client, token: cloud.IssueToken(time.Hour)}
}

// answer is a response that was read to its end.
type answer struct {
	*http.Response
	body []byte
}

// code returns the code of a registry error, or the status of an API error.
func (a answer) code() string {
	var e struct {
		Errors []struct{ Code, Message string }
		Error  struct{ Status, Message string }
	}
	_ = json.Unmarshal(a.body, &e)
	if len(e.Errors) > 0 {
		return e.Errors[0].Code
	}
	return e.Error.Status
}

// do sends a request with the world's token; headers are name, value pairs.
func (w *world) do(method, url string, body []byte, headers ...string) answer {
	w.t.Helper()
	req, err := http.NewRequestWithContext(w.t.Context(), method, url, bytes.NewReader(body))
	if err != nil {
		w.t.Fatal(err)
	}
	req.Header.Set("Authorization", "Bearer "+w.token)
	for i := 0; i+1 < len(headers); i += 2 {
		req.Header.Set(headers[i], headers[i+1])
	}
	resp, err := w.client.Do(req)
	if err != nil {
		w.t.Fatal(err)
	}
	defer func() { _ = resp.Body.Close() }()
	got, err := io.ReadAll(resp.Body)
	if err != nil {
		w.t.Fatal(err)
	}
	return answer{resp, got}
}

// want checks an answer's status and, if code is set, its error code.
func (w *world) want(a answer, status int, code string) answer {
	w.t.Helper()
	if a.StatusCode != status || (code != "" && a.code() != code) {
		w.t.Fatalf("%s %s: %d %s, want %d %s\n%s", a.Request.Method, a.Request.URL, a.StatusCode, a.code(), status, code, a.body)
	}
	return a
}

// location resolves the Location of an answer.
func (w *world) location(a answer) string {
	w.t.Helper()
	u, err := a.Location()
	if err != nil {
		w.t.Fatal(err)
	}
	return u.String()
}

// startUpload opens an upload to an image of app-images.
func (w *world) startUpload(image string) string {
	w.t.Helper()
	return w.location(w.want(w.do("POST", repoURL+"/"+image+"/blobs/uploads/", nil), 202, ""))
}

// pushBlob uploads a blob as POST and PUT.
func (w *world) pushBlob(image string, content []byte) digest.Digest {
	w.t.Helper()
	d := digest.FromBytes(content)
	w.want(w.do("PUT", w.startUpload(image)+"&digest="+d.String(), content), 201, "")
	return d
}

func (w *world) putManifest(image, reference, mediaType string, manifest []byte) answer {
	w.t.Helper()
	return w.do("PUT", repoURL+"/"+image+"/manifests/"+reference, manifest, "Content-Type", mediaType)
}

// imageOf returns a manifest of a config and one layer with that content, and pushes both.
func (w *world) imageOf(image, content string) []byte {
	w.t.Helper()
	config, layer := []byte(`{"architecture":"amd64","os":"linux"}`), []byte(content)
	w.pushBlob(image, config)
	w.pushBlob(image, layer)
	return manifestOf(config, layer, nil)
}

func manifestOf(config, layer []byte, subject *ocispec.Descriptor) []byte {
	return encode(ocispec.Manifest{
		Versioned: specs.Versioned{SchemaVersion: 2}, MediaType: ocispec.MediaTypeImageManifest, Subject: subject,
		Config: descriptor(ocispec.MediaTypeImageConfig, config),
		Layers: []ocispec.Descriptor{descriptor(ocispec.MediaTypeImageLayerGzip, layer)},
	})
}

func indexOf(manifests ...[]byte) []byte {
	index := ocispec.Index{Versioned: specs.Versioned{SchemaVersion: 2}, MediaType: ocispec.MediaTypeImageIndex}
	for i, m := range manifests {
		d := descriptor(ocispec.MediaTypeImageManifest, m)
		d.Platform = &ocispec.Platform{OS: "linux", Architecture: []string{"amd64", "arm64"}[i%2]}
		index.Manifests = append(index.Manifests, d)
	}
	return encode(index)
}

func descriptor(mediaType string, content []byte) ocispec.Descriptor {
	return ocispec.Descriptor{MediaType: mediaType, Digest: digest.FromBytes(content), Size: int64(len(content))}
}

func encode(v any) []byte {
	b, err := json.Marshal(v)
	if err != nil {
		panic(err)
	}
	return b
}

// push puts an image of its own content under a tag and returns its manifest.
func (w *world) push(image, tag string) []byte {
	w.t.Helper()
	m := w.imageOf(image, image+":"+tag)
	w.want(w.putManifest(image, tag, ocispec.MediaTypeImageManifest, m), 201, "")
	return m
}

// sdk returns Google's client of the world's API.
func (w *world) sdk() *artifactregistry.Service {
	w.t.Helper()
	return newSDK(w.t, w.client, w.token, "https://"+arsim.APIHost+"/")
}

func newSDK(t *testing.T, client *http.Client, token, endpoint string) *artifactregistry.Service {
	t.Helper()
	authorized := &http.Client{Transport: bearer{token, client.Transport}}
	svc, err := artifactregistry.NewService(t.Context(), option.WithEndpoint(endpoint), option.WithHTTPClient(authorized))
	if err != nil {
		t.Fatal(err)
	}
	return svc
}

type bearer struct {
	token string
	next  http.RoundTripper
}

func (b bearer) RoundTrip(r *http.Request) (*http.Response, error) {
	r = r.Clone(r.Context())
	r.Header.Set("Authorization", "Bearer "+b.token)
	return b.next.RoundTrip(r)
}

// deny returns an Options.Deny that takes those permissions, all where none is given, from the projects with a prefix.
func deny(prefix string, permissions ...string) func(string, string) bool {
	return func(project, permission string) bool {
		named := slices.ContainsFunc(permissions, func(p string) bool { return strings.HasSuffix(permission, p) })
		return strings.HasPrefix(project, prefix) && (named || len(permissions) == 0)
	}
}

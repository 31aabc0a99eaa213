package cloudsim_test

import (
	"context"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ecr"
	"github.com/opencontainers/go-digest"
	ocispec "github.com/opencontainers/image-spec/specs-go/v1"

	"transship/internal/cloudsim"
	"transship/internal/cloudsim/ecrsim"
	"transship/internal/cloudsim/store"
)

const (
	account = "123456789012"
	region  = "us-east-1"
	host    = account + ".dkr.ecr." + region + ".amazonaws.com"
)

// begin is a moment for clocks that tests move.
var begin = time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)

// clock is a clock that a test moves.
type clock struct{ t chan time.Time }

func newClock() *clock {
	c := &clock{make(chan time.Time, 1)}
	c.t <- begin
	return c
}

func (c *clock) Now() time.Time { t := <-c.t; c.t <- t; return t }

func (c *clock) Advance(d time.Duration) { t := <-c.t; c.t <- t.Add(d) }

func start(t testing.TB, opts cloudsim.Options) *cloudsim.Sim {
	t.Helper()
	sim := cloudsim.New(opts)
	if _, err := sim.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := sim.Close(); err != nil {
			t.Error(err)
		}
	})
	return sim
}

// sdk is the official client of the embedded ECR, without retries.
func sdk(sim *cloudsim.Sim, key string) *ecr.Client {
	return ecr.NewFromConfig(aws.Config{
		Region: region, HTTPClient: sim.HTTPClient(),
		Credentials: aws.CredentialsProviderFunc(func(context.Context) (aws.Credentials, error) {
			return aws.Credentials{AccessKeyID: key, SecretAccessKey: "secret"}, nil
		}),
		Retryer: func() aws.Retryer { return aws.NopRetryer{} },
	})
}

// push puts an image of one layer into a repository and returns its digest.
func push(repo *ecrsim.Repository, content string, tags ...string) digest.Digest {
	return pushManifest(repo, imageOf(repo, content, ""), ocispec.MediaTypeImageManifest, tags...)
}

// imageOf stores a config and a layer and returns an image manifest for them.
func imageOf(repo *ecrsim.Repository, content string, subject digest.Digest) ocispec.Manifest {
	layer, config := []byte("layer of "+content), []byte(`{"architecture":"amd64","os":"linux","x":"`+content+`"}`)
	m := ocispec.Manifest{
		MediaType: ocispec.MediaTypeImageManifest,
		Config:    ocispec.Descriptor{MediaType: ocispec.MediaTypeImageConfig, Digest: digest.FromBytes(config), Size: int64(len(config))},
		Layers:    []ocispec.Descriptor{{MediaType: ocispec.MediaTypeImageLayerGzip, Digest: digest.FromBytes(layer), Size: int64(len(layer))}},
	}
	m.SchemaVersion = 2
	repo.Content.PutBlob(m.Config.Digest, store.BytesBlob(config))
	repo.Content.PutBlob(m.Layers[0].Digest, store.BytesBlob(layer))
	if subject != "" {
		m.ArtifactType = "application/vnd.example.sbom"
		m.Subject = &ocispec.Descriptor{MediaType: ocispec.MediaTypeImageManifest, Digest: subject, Size: 1}
	}
	return m
}

func pushManifest(repo *ecrsim.Repository, manifest any, mediaType string, tags ...string) digest.Digest {
	body, err := json.Marshal(manifest)
	if err != nil {
		panic(err)
	}
	d := digest.FromBytes(body)
	repo.Content.PutManifest(store.Manifest{Digest: d, MediaType: mediaType, Bytes: body, PushedAt: begin})
	for _, tag := range tags {
		repo.Content.Tag(tag, d)
	}
	return d
}

// indexOf pushes an index of the images with those digests.
func indexOf(repo *ecrsim.Repository, tag string, children ...digest.Digest) digest.Digest {
	index := ocispec.Index{MediaType: ocispec.MediaTypeImageIndex}
	index.SchemaVersion = 2
	for _, d := range children {
		m, _ := repo.Content.Manifest(d)
		index.Manifests = append(index.Manifests, ocispec.Descriptor{MediaType: m.MediaType, Digest: d, Size: int64(len(m.Bytes))})
	}
	return pushManifest(repo, index, ocispec.MediaTypeImageIndex, tag)
}

// token asks the API for a Basic credential, ready for the header.
func token(t testing.TB, sim *cloudsim.Sim) string {
	t.Helper()
	out, err := sdk(sim, "AKIA").GetAuthorizationToken(t.Context(), &ecr.GetAuthorizationTokenInput{})
	if err != nil {
		t.Fatal(err)
	}
	return "Basic " + *out.AuthorizationData[0].AuthorizationToken
}

// answer is a response that was read whole.
type answer struct {
	*http.Response
	Body string
}

// do sends a request and reads the answer; it follows no redirect. headers are "Name: value".
func do(t testing.TB, client *http.Client, method, url, body string, headers ...string) answer {
	t.Helper()
	req, err := http.NewRequestWithContext(t.Context(), method, url, strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	for _, h := range headers {
		name, value, _ := strings.Cut(h, ": ")
		req.Header.Set(name, value)
	}
	single := *client
	single.CheckRedirect = func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }
	res, err := single.Do(req)
	if err != nil {
		t.Fatalf("%s %s: %v", method, url, err)
	}
	defer res.Body.Close()
	text, err := io.ReadAll(res.Body)
	if err != nil {
		t.Fatalf("%s %s: %v", method, url, err)
	}
	return answer{res, string(text)}
}

// want fails the test unless the answer has the status and its body holds text.
func (a answer) want(t testing.TB, status int, text string) answer {
	t.Helper()
	if a.StatusCode != status || !strings.Contains(a.Body, text) {
		t.Fatalf("%s %s: got %s with %q, want %d with %q", a.Request.Method, a.Request.URL, a.Status, a.Body, status, text)
	}
	return a
}

// fill pushes n images into a repository, each with a tag of its own.
func fill(repo *ecrsim.Repository, n int) {
	for i := range n {
		push(repo, fmt.Sprint(repo.Name(), i), fmt.Sprintf("v%04d", i))
	}
}

// sdkPassword is a password for the data plane, and its user.
func sdkPassword(t testing.TB, sim *cloudsim.Sim) (password, user string) {
	t.Helper()
	raw, err := base64.StdEncoding.DecodeString(strings.TrimPrefix(token(t, sim), "Basic "))
	if err != nil {
		t.Fatal(err)
	}
	user, password, _ = strings.Cut(string(raw), ":")
	return password, user
}

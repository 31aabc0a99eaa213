package limit

import (
	"bytes"
	"context"
	"crypto/tls"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strings"
)

// client sends the requests of one run.
type client struct {
	plan Plan
	opts Options
}

// NewClient returns a client over HTTP/1.1 that keeps its connections and follows no redirect. base gives dialer, trust
// and proxy; nil is what the environment says.
func NewClient(base *http.Transport) *http.Client {
	t := &http.Transport{Proxy: http.ProxyFromEnvironment}
	if base != nil {
		t = base.Clone()
	}
	t.Protocols = new(http.Protocols)
	t.Protocols.SetHTTP1(true)
	t.ForceAttemptHTTP2 = false
	if t.TLSClientConfig == nil {
		t.TLSClientConfig = &tls.Config{MinVersion: tls.VersionTLS12}
	}
	t.TLSClientConfig.NextProtos = nil
	t.TLSClientConfig.ClientSessionCache = tls.NewLRUClientSessionCache(0)
	t.MaxIdleConns, t.MaxIdleConnsPerHost = 0, 2*DefaultWorkers
	t.MaxConnsPerHost = DefaultWorkers // or it would dial for requests that an idle connection serves sooner
	t.DisableCompression = true
	return &http.Client{Transport: t, CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}
}

// send sends one request and wants one of the statuses. The caller closes the body.
func (c *client) send(r *http.Request, want int) (*http.Response, error) {
	switch host := r.URL.Host; host {
	case c.plan.Source:
		r.SetBasicAuth("AWS", c.opts.ECRPassword)
	case c.plan.TargetHost, artifactRegistry:
		r.Header.Set("Authorization", "Bearer "+c.opts.TargetToken)
	}
	answer, err := c.opts.Client.Do(r)
	if err != nil {
		return nil, err
	}
	if answer.StatusCode != want {
		text, _ := io.ReadAll(io.LimitReader(answer.Body, 1<<10))
		answer.Body.Close()
		return nil, fmt.Errorf("%s %s%s: %s, want %d: %s", r.Method, r.URL.Host, r.URL.Path, answer.Status, want, text)
	}
	return answer, nil
}

// ask is send for answers of which nothing but the Location matters.
func (c *client) ask(ctx context.Context, method, to string, body []byte, mediaType string, want int) (location string, err error) {
	r, err := http.NewRequestWithContext(ctx, method, to, bytes.NewReader(body))
	if err != nil {
		return "", err
	}
	if mediaType != "" {
		r.Header.Set("Content-Type", mediaType)
	}
	answer, err := c.send(r, want)
	if err != nil {
		return "", err
	}
	defer answer.Body.Close()
	if _, err := io.Copy(io.Discard, answer.Body); err != nil { // so that the connection can be used again
		return "", err
	}
	if location = answer.Header.Get("Location"); location == "" {
		return "", nil
	}
	whole, err := r.URL.Parse(location)
	if err != nil {
		return "", err
	}
	return whole.String(), nil
}

func (c *client) source(repo int, rest string) string {
	return "https://" + c.plan.Source + "/v2/" + c.plan.Repositories[repo].Name + rest
}

func (c *client) image(repo int) string {
	return c.plan.TargetPath + "/" + c.plan.Repositories[repo].Name
}

func (c *client) target(repo int, rest string) string {
	return "https://" + c.plan.TargetHost + "/v2/" + c.image(repo) + rest
}

// copyBlob streams a blob from S3 into an upload at its first place: four requests.
func (c *client) copyBlob(ctx context.Context, b Blob) error {
	place := b.Places[0]
	signed, err := c.ask(ctx, http.MethodGet, c.source(place, "/blobs/"+b.Digest.String()), nil, "", http.StatusTemporaryRedirect)
	if err != nil {
		return err
	}
	begun, err := c.ask(ctx, http.MethodPost, c.target(place, "/blobs/uploads/"), nil, "", http.StatusAccepted)
	if err != nil {
		return err
	}
	put := begun + "?digest=" + b.Digest.String()
	if strings.Contains(begun, "?") {
		put = begun + "&digest=" + b.Digest.String()
	}
	read, err := http.NewRequestWithContext(ctx, http.MethodGet, signed, nil)
	if err != nil {
		return err
	}
	bytes, err := c.send(read, http.StatusOK)
	if err != nil {
		return err
	}
	defer bytes.Body.Close()
	body := io.Reader(bytes.Body)
	if bytes.ContentLength == 0 {
		body = http.NoBody
	}
	write, err := http.NewRequestWithContext(ctx, http.MethodPut, put, body)
	if err != nil {
		return err
	}
	write.ContentLength = bytes.ContentLength
	write.Header.Set("Content-Type", "application/octet-stream")
	answer, err := c.send(write, http.StatusCreated)
	if err != nil {
		return err
	}
	return answer.Body.Close()
}

// mount gives a further place a blob of the first.
func (c *client) mount(ctx context.Context, b Blob, place int) error {
	query := url.Values{"mount": {b.Digest.String()}, "from": {c.image(b.Places[0])}}
	_, err := c.ask(ctx, http.MethodPost, c.target(place, "/blobs/uploads/?"+query.Encode()), nil, "", http.StatusCreated)
	return err
}

// put writes a manifest under one reference.
func (c *client) put(ctx context.Context, m *Manifest, reference string) error {
	_, err := c.ask(ctx, http.MethodPut, c.target(m.Repository, "/manifests/"+reference), m.Body, m.MediaType, http.StatusCreated)
	return err
}

const artifactRegistry = "artifactregistry.googleapis.com"

// pageSteps fetch the pages of the two inventories. Each list is one step, since a page names the next one.
func (c *client) pageSteps() []*step {
	steps := []*step{
		{do: func(ctx context.Context) error {
			return c.listECR(ctx, "DescribeRepositories", map[string]any{"maxResults": 1000})
		}},
		{do: c.listTarget},
	}
	for _, repo := range c.plan.Repositories {
		input := map[string]any{"repositoryName": repo.Name, "maxResults": 1000, "filter": map[string]string{"imageStatus": "ANY"}}
		steps = append(steps, &step{do: func(ctx context.Context) error { return c.listECR(ctx, "DescribeImages", input) }})
	}
	return steps
}

// listECR walks the pages of one operation.
func (c *client) listECR(ctx context.Context, operation string, input map[string]any) error {
	account, rest, _ := strings.Cut(c.plan.Source, ".dkr.ecr.")
	region, suffix, _ := strings.Cut(rest, ".")
	input["registryId"] = account
	for {
		body, err := json.Marshal(input)
		if err != nil {
			return err
		}
		r, err := http.NewRequestWithContext(ctx, http.MethodPost, "https://api.ecr."+region+"."+suffix+"/", bytes.NewReader(body))
		if err != nil {
			return err
		}
		r.Header.Set("X-Amz-Target", "AmazonEC2ContainerRegistry_V20150921."+operation)
		r.Header.Set("Content-Type", "application/x-amz-json-1.1")
		r.Header.Set("Authorization", "AWS4-HMAC-SHA256 Credential="+c.opts.AccessKey+"/20260101/"+region+"/ecr/aws4_request, SignedHeaders=host, Signature=0")
		var page struct {
			NextToken string `json:"nextToken"`
		}
		if err := c.page(r, &page); err != nil {
			return fmt.Errorf("%s: %w", operation, err)
		}
		if page.NextToken == "" {
			return nil
		}
		input["nextToken"] = page.NextToken
	}
}

// listTarget walks the pages of the target's images.
func (c *client) listTarget(ctx context.Context) error {
	project, repository, _ := strings.Cut(c.plan.TargetPath, "/")
	location := strings.TrimSuffix(c.plan.TargetHost, "-docker.pkg.dev")
	query := url.Values{"pageSize": {"1000"}}
	for {
		r, err := http.NewRequestWithContext(ctx, http.MethodGet, fmt.Sprintf("https://%s/v1/projects/%s/locations/%s/repositories/%s/dockerImages?%s",
			artifactRegistry, project, location, repository, query.Encode()), nil)
		if err != nil {
			return err
		}
		var page struct {
			NextPageToken string `json:"nextPageToken"`
		}
		if err := c.page(r, &page); err != nil {
			return fmt.Errorf("dockerImages.list: %w", err)
		}
		if page.NextPageToken == "" {
			return nil
		}
		query.Set("pageToken", page.NextPageToken)
	}
}

func (c *client) page(r *http.Request, into any) error {
	answer, err := c.send(r, http.StatusOK)
	if err != nil {
		return err
	}
	defer answer.Body.Close()
	body, err := io.ReadAll(answer.Body)
	if err != nil {
		return err
	}
	return json.Unmarshal(body, into)
}

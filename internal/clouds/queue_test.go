package clouds_test

import (
	"encoding/pem"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"transship/internal/clouds"
	"transship/internal/cloudsim/sqssim"
	"transship/internal/events"
	"transship/internal/ref"
	"transship/internal/registry"
)

// What stands in for SQS, and signs with a CA of its own, is reached by the variables that every AWS tool honours, as ECR's
// API is.
func TestQueueByEnvironment(t *testing.T) {
	sim, _ := world(t)
	queue := sim.SQS(region).CreateQueue(account, "events", sqssim.QueueOptions{})
	queue.Send("hello")
	home, err := url.Parse(queue.URL())
	if err != nil {
		t.Fatal(err)
	}
	home.Path = ""
	standIn := httptest.NewTLSServer(&httputil.ReverseProxy{
		Transport: sim.Transport(), Rewrite: func(r *httputil.ProxyRequest) { r.SetURL(home) },
	})
	t.Cleanup(standIn.Close)
	dir := t.TempDir()
	bundle := filepath.Join(dir, "ca.pem")
	own := pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: standIn.Certificate().Raw})
	if err := os.WriteFile(bundle, own, 0o600); err != nil {
		t.Fatal(err)
	}
	address, err := events.ParseAddress(queue.URL())
	if err != nil {
		t.Fatal(err)
	}
	var asked []string
	open := func() (*events.Queue, error) {
		return clouds.OpenQueue(t.Context(), address, []ref.Registry{address.Registry()}, clouds.Options{
			AWSKey: [2]string{"AKIAOTHER", "secret"}, Observe: func(host string, _ int, _ bool) { asked = append(asked, host) },
		})
	}
	t.Setenv("AWS_ENDPOINT_URL_SQS", standIn.URL)

	t.Setenv("AWS_CA_BUNDLE", bundle)
	q, err := open()
	if err != nil {
		t.Fatal(err)
	}
	some, err := q.Receive(t.Context(), 0)
	if err != nil || len(some) != 1 || some[0].Body != "hello" {
		t.Errorf("%+v %v", some, err)
	}
	if want := strings.TrimPrefix(standIn.URL, "https://"); len(asked) != 1 || asked[0] != want {
		t.Errorf("asked %v, want %s", asked, want)
	}

	t.Setenv("AWS_CA_BUNDLE", "")
	if q, err = open(); err != nil {
		t.Fatal(err)
	}
	if _, err := q.Look(t.Context()); !registry.IsClass(err, registry.Unavailable) || !strings.Contains(registry.HintOf(err), "AWS_CA_BUNDLE") {
		t.Errorf("without the authority: %v", err)
	}

	t.Setenv("AWS_CA_BUNDLE", filepath.Join(dir, "nowhere.pem"))
	if _, err := open(); !registry.IsClass(err, registry.Unauthorized) || !strings.Contains(err.Error(), "nowhere.pem") {
		t.Errorf("a bundle that is not there: %v", err)
	}
}

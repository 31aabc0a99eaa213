package e2e

import (
	"bytes"
	"errors"
	"fmt"
	"net"
	"net/http"
	"os"
	"os/exec"
	"testing"

	"transship/internal/cloudsim/arsim"
	"transship/internal/cloudsim/corpus"
)

// TestMigrateAtRealNames migrates between stand-ins that DNS leads to: the binary is given trust and credentials and
// is told nothing else, and the clients of the two clouds agree with it about what arrived.
func TestMigrateAtRealNames(t *testing.T) {
	t.Parallel()
	w := newWorld(t, corpus.Demo()).atRealNames(t)
	if n := len(w.corpus.Repositories); n != 26 {
		t.Fatalf("the corpus has %d repositories", n)
	}
	first := w.counted(func() { w.transship(t, 0, "migrate", "--yes") })
	if first.Of("s3.get") == 0 || writes(first) == 0 {
		t.Fatalf("nothing was copied:\n%s", first)
	}
	w.transship(t, 0, "verify", "--deep")
	compareCloud(t, w)

	again := w.counted(func() { w.transship(t, 0, "migrate", "--yes") })
	if writes(again) != 0 || again.Of("s3.get", "ecr.v2.blob", "ecr.BatchGetImage") != 0 {
		t.Errorf("a second migration copied something:\n%s", again)
	}
	t.Run("crane", func(t *testing.T) { askCrane(t, w) })
	t.Run("aws", func(t *testing.T) { askAWS(t, w) })
	t.Run("gcloud", func(t *testing.T) { askGcloud(t, w) })
}

// atRealNames serves the world at 127.0.0.1:443 and has its commands run where the clouds' names lead there: in a
// mount namespace with an /etc/hosts of its own. The test is skipped where that is not possible.
func (w *world) atRealNames(t *testing.T) *world {
	t.Helper()
	unshare, err := exec.LookPath("unshare")
	if err != nil {
		t.Skip("unshare is not on the PATH: names cannot be made to lead to the stand-ins")
	}
	hosts, err := os.ReadFile("/etc/hosts")
	if err != nil {
		t.Skipf("no /etc/hosts to put the names into: %v", err)
	}
	for _, name := range w.names() {
		hosts = fmt.Appendf(hosts, "\n127.0.0.1 %s", name)
	}
	file := writeFile(t, "hosts", append(bytes.TrimSpace(hosts), '\n'))
	if err := os.Chmod(file, 0o644); err != nil {
		t.Fatal(err)
	}
	w.prefix = []string{unshare, "--mount", "sh", "-c", `mount --bind "$0" /etc/hosts && exec "$@"`, file}
	if r := w.command(t, "true"); r.code != 0 {
		t.Skipf("no mount namespace with an /etc/hosts of its own (root is needed): exit code %d: %s", r.code, r.stderr)
	}
	listener, err := net.Listen("tcp", "127.0.0.1:443")
	if err != nil {
		t.Skipf("the stand-ins need port 443: %v", err)
	}
	served := make(chan error, 1)
	go func() { served <- w.sim.Serve(listener) }()
	t.Cleanup(func() {
		_ = w.sim.Close()
		if err := <-served; !errors.Is(err, http.ErrServerClosed) {
			t.Errorf("the stand-ins stopped: %v", err)
		}
	})
	return w
}

// names are all host names that the two clouds are reached at.
func (w *world) names() []string {
	names := append([]string{arsim.APIHost, arsim.OAuthHost, targetHost, w.ecr.Region().S3Host()}, w.ecr.Hosts()...)
	names = append(names, w.ecr.Region().APIHosts()...)
	return append(names, w.ecr.Region().STSHosts()...)
}

// compareCloud wants every image of the corpus at the embedded Artifact Registry, byte for byte, with its tags and
// nothing else.
func compareCloud(t *testing.T, w *world) {
	t.Helper()
	expected := w.imagesAt()
	for name, images := range expected {
		image := w.ar.Image(target + "/" + name)
		if image == nil {
			t.Errorf("%s is not at the target", name)
			continue
		}
		tags := 0
		for _, img := range images {
			m, ok := image.Manifest(img.Digest)
			if !ok || !bytes.Equal(m.Bytes, img.Manifest) || m.MediaType != img.MediaType {
				t.Errorf("%s@%s is not what the source has", name, img.Digest)
			}
			for _, tag := range img.Tags {
				if got, _ := image.TagDigest(tag); got != img.Digest {
					t.Errorf("%s:%s is %q, want %s", name, tag, got, img.Digest)
				}
			}
			tags += len(img.Tags)
		}
		if image.Len() != len(images) || len(image.Tags()) != tags {
			t.Errorf("%s has %d manifests and %d tags, want %d and %d", name, image.Len(), len(image.Tags()), len(images), tags)
		}
	}
	if got := len(w.ar.Images(location, project, repository)); got != len(expected) {
		t.Errorf("the target holds %d images, want %d", got, len(expected))
	}
}

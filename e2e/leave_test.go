package e2e

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/opencontainers/go-digest"

	"transship/internal/cloudsim/corpus"
	"transship/internal/cloudsim/iamsim"
)

// leaving is what the test reads of cutover.json.
type leaving struct {
	Removable []struct {
		Source  string
		Whole   bool
		Digests []digest.Digest
	}
	Retained []struct {
		Source string
		Digest digest.Digest
		Why    string
	}
}

// TestLeave has the real aws command line do what leave.sh says: indexes go before what they list, repositories that
// become empty go too, what nobody proved stays, and the target is as it was.
func TestLeave(t *testing.T) {
	lookFor(t, "aws")
	shell := lookFor(t, "sh")
	w := newWorld(t, corpus.Demo()).throughProxy(t)
	w.transship(t, 0, "migrate", "--yes")
	const nodes = "nodes@my-gcp-project.iam.gserviceaccount.com"
	w.sim.Google().AddServiceAccount(iamsim.ServiceAccount{Email: nodes})
	long := time.Now().AddDate(0, 0, -100)
	for _, r := range w.ecr.Repositories() {
		for _, m := range r.Content.Manifests() {
			r.SetPushedAt(m.Digest, long)
			r.SetPulledAt(m.Digest, long)
		}
	}
	deploy := writeFile(t, "web.yaml", []byte("image: "+target+"/team/api:v1\n"))
	w.transship(t, 0, "provision", "--finish", "--yes")
	line := []string{"cutover", deploy, "--leave", "--without-archived", "--switched", "40d", "--nodes", nodes}
	few := w.fewRepositories()
	for _, name := range few {
		line = append(line, "--include", name)
	}
	w.transship(t, 0, line...)
	told := readDocument[leaving](t, w, "cutover.json")
	before, script := w.held(), filepath.Join(w.dir, "leave.sh")
	if len(told.Removable) != len(few) || len(told.Retained) == 0 {
		t.Fatalf("%d repositories are safe to delete, %d images are not", len(told.Removable), len(told.Retained))
	}

	own := *w
	own.env = append(slices.Clone(w.env), "AWS_CA_BUNDLE="+envOf(w.env, "SSL_CERT_FILE"), "PATH="+os.Getenv("PATH"))
	shown := own.command(t, shell, script).wantCode(t, "leave.sh", 0)
	held := w.ecrHolds()
	if !strings.Contains(shown.stdout, "would delete") || len(held) == 0 {
		t.Fatalf("leave.sh without --delete: %s", shown.stdout)
	}
	own.command(t, shell, script, "--delete").wantCode(t, "leave.sh --delete", 0)
	own.command(t, shell, script, "--delete") // once more does no harm

	var want []string
	for _, r := range told.Retained {
		want = append(want, r.Source+"@"+r.Digest.String())
	}
	for _, image := range held {
		if repository, _, _ := strings.Cut(strings.TrimPrefix(image, from+"/"), "@"); !slices.Contains(few, repository) {
			want = append(want, image)
		}
	}
	slices.Sort(want)
	if got := w.ecrHolds(); !slices.Equal(got, want) {
		t.Errorf("ECR holds\n%s\nwant\n%s", strings.Join(got, "\n"), strings.Join(want, "\n"))
	}
	for _, r := range told.Removable {
		if there := w.ecr.Repository(strings.TrimPrefix(r.Source, from+"/")) != nil; there == r.Whole {
			t.Errorf("the repository %s: whole %t, there %t", r.Source, r.Whole, there)
		}
	}
	if got := w.held(); !slices.Equal(got, before) {
		t.Errorf("the target held %d images, and holds %d", len(before), len(got))
	}
}

// fewRepositories are one with images of several platforms, and one with an archived image: aws takes its time for each request.
func (w *world) fewRepositories() []string {
	few := []string{"team/api"}
	for _, repo := range w.corpus.Repositories {
		if repo.Name != few[0] && slices.ContainsFunc(repo.Images, func(i corpus.Image) bool { return i.Archived }) {
			return append(few, repo.Name)
		}
	}
	return few
}

// ecrHolds are the images that ECR holds.
func (w *world) ecrHolds() []string {
	var out []string
	for _, r := range w.ecr.Repositories() {
		for _, m := range r.Content.Manifests() {
			out = append(out, from+"/"+r.Name()+"@"+m.Digest.String())
		}
	}
	slices.Sort(out)
	return out
}

// held are the images that the target holds.
func (w *world) held() []string {
	var out []string
	for name, images := range w.imagesAt() {
		at := w.ar.Image(target + "/" + name)
		for _, img := range images {
			if _, ok := at.Manifest(img.Digest); ok {
				out = append(out, name+"@"+img.Digest.String())
			}
		}
	}
	slices.Sort(out)
	return out
}

func envOf(env []string, name string) string {
	for _, e := range env {
		if value, ok := strings.CutPrefix(e, name+"="); ok {
			return value
		}
	}
	return ""
}

package e2e

import (
	"encoding/json"
	"fmt"
	"net/http"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"

	"transship/internal/cloudsim/corpus"
)

// client runs a program that is not ours in the world and returns what it prints.
func (w *world) client(t *testing.T, env []string, name string, args ...string) string {
	t.Helper()
	own := *w
	own.env = append(append([]string(nil), w.env...), env...)
	return own.command(t, name, args...).wantCode(t, name+" "+strings.Join(args, " "), 0).stdout
}

// askCrane compares tags, digests and manifests of some images on both sides.
func askCrane(t *testing.T, w *world) {
	program := lookFor(t, "crane")
	auths := map[string]any{"auths": map[string]any{
		from:       map[string]string{"username": "AWS", "password": w.ecrPassword(t)},
		targetHost: map[string]string{"username": "oauth2accesstoken", "password": googleToken},
	}}
	config, err := json.Marshal(auths)
	if err != nil {
		t.Fatal(err)
	}
	env := []string{"DOCKER_CONFIG=" + filepath.Dir(writeFile(t, "config.json", config))}
	crane := func(args ...string) string { t.Helper(); return w.client(t, env, program, args...) }
	for _, name := range []string{"team/api", "charts/api", "payments/ledger", "data.science/notebook", "2019/reports"} {
		source, dest := from+"/"+name, target+"/"+name
		images := w.imagesAt()[name]
		tags := tagsOf(images)
		for side, ref := range map[string]string{"target": dest, "source": source} {
			got := strings.Fields(crane("ls", ref))
			slices.Sort(got)
			if side == "target" && !slices.Equal(got, tags) {
				t.Errorf("crane ls %s: %v, want %v", ref, got, tags)
			}
			if missing := without(tags, got); len(missing) > 0 {
				t.Errorf("crane ls %s lacks %v", ref, missing)
			}
		}
		img := images[slices.IndexFunc(images, func(img corpus.Image) bool { return len(img.Tags) > 0 })]
		for _, ref := range []string{source, dest} {
			if got := strings.TrimSpace(crane("digest", ref+":"+img.Tags[0])); got != img.Digest.String() {
				t.Errorf("crane digest %s:%s: %s, want %s", ref, img.Tags[0], got, img.Digest)
			}
			if got := strings.TrimSuffix(crane("manifest", ref+":"+img.Tags[0]), "\n"); got != strings.TrimSuffix(string(img.Manifest), "\n") {
				t.Errorf("crane manifest %s:%s: %s", ref, img.Tags[0], got)
			}
		}
	}
}

// ecrPassword asks ECR's API for the password of its data plane, as aws ecr get-login-password does.
func (w *world) ecrPassword(t *testing.T) string {
	t.Helper()
	r, err := http.NewRequestWithContext(t.Context(), "POST", "https://"+w.ecr.Region().APIHosts()[0]+"/", strings.NewReader("{}"))
	if err != nil {
		t.Fatal(err)
	}
	r.Header.Set("X-Amz-Target", "AmazonEC2ContainerRegistry_V20150921.GetAuthorizationToken")
	r.Header.Set("Content-Type", "application/x-amz-json-1.1")
	r.Header.Set("Authorization", "AWS4-HMAC-SHA256 Credential="+accessKey+"/20260101/"+region+"/ecr/aws4_request, SignedHeaders=host, Signature=0")
	answer, err := w.sim.HTTPClient().Do(r)
	if err != nil {
		t.Fatal(err)
	}
	defer answer.Body.Close()
	var body struct {
		AuthorizationData []struct {
			AuthorizationToken []byte `json:"authorizationToken"` // base64, as []byte is in JSON
		} `json:"authorizationData"`
	}
	if err := json.NewDecoder(answer.Body).Decode(&body); err != nil || len(body.AuthorizationData) != 1 {
		t.Fatalf("GetAuthorizationToken: %s, %v", answer.Status, err)
	}
	_, password, _ := strings.Cut(string(body.AuthorizationData[0].AuthorizationToken), ":")
	return password
}

// askAWS counts repositories and images at the source.
func askAWS(t *testing.T, w *world) {
	program := lookFor(t, "aws")
	none := filepath.Join(t.TempDir(), "none")
	env := []string{
		"AWS_CA_BUNDLE=" + writeFile(t, "ca.pem", w.sim.CAPEM()), "AWS_DEFAULT_REGION=" + region, "AWS_PAGER=", "AWS_MAX_ATTEMPTS=1",
		"AWS_CONFIG_FILE=" + none, "AWS_SHARED_CREDENTIALS_FILE=" + none, "AWS_EC2_METADATA_DISABLED=true", "PYTHONWARNINGS=ignore",
	}
	query := func(expected string, args ...string) {
		t.Helper()
		args = append([]string{"ecr"}, append(args, "--output", "text")...)
		if got := strings.TrimSpace(w.client(t, env, program, args...)); got != expected {
			t.Errorf("aws %s: %q, want %q", strings.Join(args, " "), got, expected)
		}
	}
	query("26", "describe-repositories", "--query", "length(repositories)")
	for _, name := range []string{"payments/ledger", "2019/reports"} {
		listed := 0 // an entry for each tag, and for each image without one
		for _, img := range w.imagesAt()[name] {
			listed += max(1, len(img.Tags))
		}
		query(strconv.Itoa(listed), "list-images", "--repository-name", name, "--query", "length(imageIds)")
	}
}

// askGcloud compares all images and tags at the target.
func askGcloud(t *testing.T, w *world) {
	program := lookFor(t, "gcloud")
	env := []string{
		"CLOUDSDK_CORE_CUSTOM_CA_CERTS_FILE=" + writeFile(t, "ca.pem", w.sim.CAPEM()),
		"CLOUDSDK_AUTH_ACCESS_TOKEN_FILE=" + writeFile(t, "token", []byte(googleToken)),
		"CLOUDSDK_CORE_PROJECT=" + project, "CLOUDSDK_CONFIG=" + t.TempDir(), "CLOUDSDK_CORE_DISABLE_PROMPTS=1",
		"CLOUDSDK_CORE_DISABLE_USAGE_REPORTING=1", "CLOUDSDK_COMPONENT_MANAGER_DISABLE_UPDATE_CHECK=1",
	}
	gcloud := func(v any, args ...string) {
		t.Helper()
		out := w.client(t, env, program, append([]string{"artifacts"}, append(args, "--format=json")...)...)
		if err := json.Unmarshal([]byte(out), v); err != nil {
			t.Fatalf("gcloud artifacts %s: %v\n%s", strings.Join(args, " "), err, out)
		}
	}
	var made struct{ Format, Name string }
	gcloud(&made, "repositories", "describe", repository, "--location="+location)
	if made.Format != "DOCKER" || made.Name != fmt.Sprintf("projects/%s/locations/%s/repositories/%s", project, location, repository) {
		t.Errorf("gcloud describes the repository as %+v", made)
	}
	var images []struct {
		Package, Version string
		Tags             any // a list, or a text with commas, by gcloud's version
	}
	gcloud(&images, "docker", "images", "list", target, "--include-tags")
	var got, expected []string
	for _, img := range images {
		got = append(got, fmt.Sprintf("%s@%s %s", img.Package, img.Version, sorted(img.Tags)))
	}
	for name, images := range w.imagesAt() {
		for _, img := range images {
			expected = append(expected, fmt.Sprintf("%s/%s@%s %s", target, name, img.Digest, img.Tags))
		}
	}
	slices.Sort(got)
	slices.Sort(expected)
	if missing, extra := without(expected, got), without(got, expected); len(missing)+len(extra) > 0 {
		t.Errorf("gcloud lists %d images, want %d\nmissing: %v\nextra: %v", len(got), len(expected), missing, extra)
	}
}

// sorted makes a sorted list of what gcloud shows as tags.
func sorted(tags any) []string {
	var out []string
	switch tags := tags.(type) {
	case string:
		out = strings.FieldsFunc(tags, func(r rune) bool { return r == ',' || r == ' ' })
	case []any:
		for _, tag := range tags {
			out = append(out, fmt.Sprint(tag))
		}
	}
	slices.Sort(out)
	return out
}

// tagsOf are the tags of images, sorted.
func tagsOf(images []corpus.Image) []string {
	var tags []string
	for _, img := range images {
		tags = append(tags, img.Tags...)
	}
	slices.Sort(tags)
	return tags
}

// without is what a has and b lacks.
func without(a, b []string) []string {
	var out []string
	for _, v := range a {
		if !slices.Contains(b, v) {
			out = append(out, v)
		}
	}
	return out
}

package arsim_test

import (
	"encoding/base64"
	"encoding/json"
	"net/url"
	"strings"
	"testing"
	"time"

	"transship/internal/cloudsim/arsim"
)

func basic(user, password string) string {
	return "Basic " + base64.StdEncoding.EncodeToString([]byte(user+":"+password))
}

func TestCredentials(t *testing.T) {
	w := newWorld(t, arsim.Options{Token: "fixed"})
	key := `{"type":"service_account","client_email":"ci@example.com"}`
	revoked := w.IssueToken(time.Hour)
	w.Revoke(revoked)
	short := w.IssueToken(time.Minute)
	w.clock.advance(time.Minute)
	for header, ok := range map[string]bool{
		"Bearer " + w.token:                 true,
		"bearer " + w.token:                 true,
		"Bearer fixed":                      true,
		basic("oauth2accesstoken", w.token): true,
		basic("_token", w.token):            true,
		basic("_json_key", key):             true,
		basic("_json_key_base64", base64.StdEncoding.EncodeToString([]byte(key))): true,
		basic("_json_key_base64", "%"):                                            false,
		basic("_json_key", "{}"):                                                  false,
		basic("AWS", w.token):                                                     false,
		basic("oauth2accesstoken", "x"):                                           false,
		"Bearer " + revoked:                                                       false,
		"Bearer " + short:                                                         false,
		"Bearer ":                                                                 false,
		"":                                                                        false,
	} {
		got := w.do("GET", repoURL+"/app/manifests/v1", nil, "Authorization", header)
		if (got.StatusCode == 404) != ok || (got.StatusCode == 401) == ok {
			t.Errorf("%q: %d", header, got.StatusCode)
		}
	}
	w.Revoke("fixed")
	w.want(w.do("GET", host+"/v2/", nil, "Authorization", "Bearer fixed"), 401, "UNAUTHORIZED")
	// The API takes no Basic credentials.
	w.want(w.do("GET", "https://"+arsim.APIHost+"/v1/"+parent+"/repositories", nil, "Authorization", basic("oauth2accesstoken", w.token)), 401, "UNAUTHENTICATED")
}

func TestChallengeAndExchange(t *testing.T) {
	w := newWorld(t, arsim.Options{})
	got := w.want(w.do("POST", repoURL+"/team/app/blobs/uploads/", nil, "Authorization", ""), 401, "UNAUTHORIZED")
	want := `Bearer realm="https://us-docker.pkg.dev/v2/token",service="us-docker.pkg.dev",scope="repository:my-gcp-project/app-images/team/app:pull,push"`
	if challenge := got.Header.Get("WWW-Authenticate"); challenge != want {
		t.Errorf("challenge %s\nwant      %s", challenge, want)
	}
	exchange := host + "/v2/token?service=us-docker.pkg.dev&scope=repository:my-gcp-project/app-images/team/app:pull"
	w.want(w.do("GET", exchange, nil, "Authorization", ""), 401, "UNAUTHORIZED")
	var issued struct {
		Token     string `json:"token"`
		ExpiresIn int    `json:"expires_in"`
	}
	got = w.want(w.do("GET", exchange, nil, "Authorization", basic("oauth2accesstoken", w.token)), 200, "")
	if err := json.Unmarshal(got.body, &issued); err != nil || issued.ExpiresIn != 3600 {
		t.Fatalf("%v: %s", err, got.body)
	}
	w.want(w.do("GET", host+"/v2/", nil, "Authorization", "Bearer "+issued.Token), 200, "")
	form := url.Values{"username": {"oauth2accesstoken"}, "password": {w.token}, "grant_type": {"password"}}.Encode()
	w.want(w.do("POST", host+"/v2/token", []byte(form), "Authorization", "", "Content-Type", "application/x-www-form-urlencoded"), 200, "")
	// A registry token ends with the access token that it was made from.
	w.clock.advance(time.Hour)
	w.want(w.do("GET", host+"/v2/", nil, "Authorization", "Bearer "+issued.Token), 401, "UNAUTHORIZED")
}

func TestOAuth(t *testing.T) {
	w := newWorld(t, arsim.Options{TokenLifetime: time.Minute})
	claims := base64.RawURLEncoding.EncodeToString([]byte(`{"iss":"ci@example.com"}`))
	post := func(form url.Values) answer {
		return w.do("POST", "https://"+arsim.OAuthHost+"/token", []byte(form.Encode()), "Content-Type", "application/x-www-form-urlencoded", "Authorization", "")
	}
	jwt := "urn:ietf:params:oauth:grant-type:jwt-bearer"
	for _, form := range []url.Values{
		{"grant_type": {jwt}, "assertion": {"e30." + claims + ".c2ln"}},
		{"grant_type": {"refresh_token"}, "refresh_token": {"1//x"}},
	} {
		var issued struct {
			AccessToken string `json:"access_token"`
		}
		got := w.want(post(form), 200, "")
		if err := json.Unmarshal(got.body, &issued); err != nil {
			t.Fatal(err)
		}
		w.want(w.do("GET", host+"/v2/", nil, "Authorization", "Bearer "+issued.AccessToken), 200, "")
	}
	for _, form := range []url.Values{
		{"grant_type": {jwt}, "assertion": {"rubbish"}}, {"grant_type": {jwt}, "assertion": {"e30.%.x"}},
		{"grant_type": {"refresh_token"}}, {"grant_type": {"password"}},
	} {
		if got := w.want(post(form), 400, ""); !strings.Contains(string(got.body), "grant") {
			t.Errorf("%s", got.body)
		}
	}
	w.want(w.do("GET", "https://"+arsim.OAuthHost+"/token", nil), 404, "")
}

func TestDataRefusals(t *testing.T) {
	w := newWorld(t, arsim.Options{
		HideMissing: true, APIDisabled: func(p string) bool { return p == "asleep" }, Deny: deny("readonly", "uploadArtifacts"),
	})
	for _, p := range []string{"readonly", "asleep"} {
		if err := w.CreateRepository("us", p, "repo", arsim.Repository{}); err != nil {
			t.Fatal(err)
		}
	}
	hidden := w.want(w.do("GET", host+"/v2/my-gcp-project/nothing/app/manifests/v1", nil), 403, "DENIED")
	if !strings.Contains(string(hidden.body), `Permission \"artifactregistry.repositories.downloadArtifacts\" denied on resource \"projects/my-gcp-project/locations/us/repositories/nothing\" (or it may not exist)`) {
		t.Errorf("%s", hidden.body)
	}
	w.want(w.do("GET", host+"/v2/asleep/repo/app/manifests/v1", nil), 403, "DENIED")
	w.want(w.do("GET", host+"/v2/readonly/repo/app/manifests/v1", nil), 404, "MANIFEST_UNKNOWN")
	w.want(w.do("POST", host+"/v2/readonly/repo/app/blobs/uploads/", nil), 403, "DENIED")
	for id, settings := range map[string]arsim.Repository{"maven": {Format: "MAVEN"}, "remote": {Mode: "REMOTE_REPOSITORY"}} {
		if err := w.CreateRepository("us", project, id, settings); err != nil {
			t.Fatal(err)
		}
		w.want(w.do("POST", host+"/v2/my-gcp-project/"+id+"/app/blobs/uploads/", nil), 400, "")
	}
	w.want(w.do("GET", "https://"+arsim.APIHost+"/v1/"+parent+"/repositories/nothing", nil), 403, "PERMISSION_DENIED")
	w.want(w.do("GET", "https://"+arsim.APIHost+"/v1/"+parent+"/repositories/maven/dockerImages", nil), 400, "INVALID_ARGUMENT")
}

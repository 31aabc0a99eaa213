package arsim_test

import (
	"strings"
	"testing"
	"time"

	"transship/internal/cloudsim/arsim"
)

func TestQuotas(t *testing.T) {
	w := newWorld(t, arsim.Options{Quotas: arsim.Quotas{Requests: 6, Writes: 2, Deletes: 1}, RetryAfter: 7 * time.Second})
	if err := w.CreateRepository("europe", project, "far", arsim.Repository{}); err != nil {
		t.Fatal(err)
	}
	write := func(status int) answer {
		t.Helper()
		return w.want(w.do("POST", repoURL+"/app/blobs/uploads/", nil), status, "")
	}
	write(202)
	write(202)
	refused := write(429)
	if refused.code() != "TOOMANYREQUESTS" || !strings.Contains(string(refused.body), "RESOURCE_EXHAUSTED: Quota exceeded") || refused.Header.Get("Retry-After") != "7" {
		t.Errorf("%s %s", refused.Header.Get("Retry-After"), refused.body)
	}
	w.want(w.do("DELETE", repoURL+"/app/manifests/x", nil), 404, "")
	w.want(w.do("DELETE", repoURL+"/app/manifests/x", nil), 429, "")
	// The ping and the token endpoint are outside of the quota; the API is within.
	w.want(w.do("GET", host+"/v2/", nil), 200, "")
	list := "https://" + arsim.APIHost + "/v1/" + parent + "/repositories"
	for range 3 {
		w.want(w.do("GET", list, nil), 200, "")
	}
	w.want(w.do("GET", list, nil), 429, "RESOURCE_EXHAUSTED")
	// Another location has a quota of its own.
	w.want(w.do("POST", "https://europe-docker.pkg.dev/v2/my-gcp-project/far/app/blobs/uploads/", nil), 202, "")
	w.clock.advance(59 * time.Second)
	write(429)
	w.clock.advance(time.Second)
	write(202)
	w.SetQuotas(arsim.NoQuotas())
	for range 10 {
		write(202)
	}
}

func TestQuotaArithmetic(t *testing.T) {
	want := arsim.Quotas{Requests: 6000, Writes: 1800, Deletes: 1800, Window: time.Minute}
	if got := (arsim.Quotas{}).Divided(10); got != want {
		t.Errorf("a tenth is %+v, want %+v", got, want)
	}
	if got := arsim.NoQuotas().Divided(10); got.Writes >= 0 {
		t.Errorf("no quota divided is %+v", got)
	}
}

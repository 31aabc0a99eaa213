package world

import (
	"net/http"
	"strings"
	"sync"
	"time"

	"github.com/opencontainers/go-digest"
	"golang.org/x/time/rate"

	"transship/internal/cloudsim"
)

// LimitSource makes ECR refuse what comes faster than perSecond requests a second, over all of its operations and S3,
// with bursts of one second: 429 without Retry-After at the data plane, ThrottlingException at the API.
func (w *World) LimitSource(perSecond int) {
	bucket := rate.NewLimiter(rate.Limit(perSecond), perSecond)
	dataPlane, api := cloudsim.TooManyRequests(""), cloudsim.Throttling()
	w.Sim.Faults.Set(cloudsim.Fault{
		Match: func(r *http.Request) bool { return strings.Contains(r.Host, "amazonaws.com") },
		Action: func(rw http.ResponseWriter, r *http.Request, next http.Handler) {
			switch {
			case bucket.Allow():
				next.ServeHTTP(rw, r)
			case strings.HasPrefix(r.Host, "api.ecr."):
				api(rw, r, next)
			default:
				dataPlane(rw, r, next)
			}
		},
	})
}

// Shares counts the manifests that arrive by which of two halves they belong to, until one half is whole.
type Shares struct {
	mu   sync.Mutex
	want [2]int
	got  [2]int
	at   time.Time // when the first half was whole
	then [2]int    // what both had by then
}

// CountShares counts from now on. half tells for an image's path below the repository which half it is of.
func (w *World) CountShares(half func(image string) int, want [2]int) *Shares {
	s := &Shares{want: want}
	w.Sim.Faults.Set(cloudsim.Fault{
		Kind: "ar.v2.manifest.put",
		Action: func(rw http.ResponseWriter, r *http.Request, next http.Handler) {
			status := &statusWriter{ResponseWriter: rw}
			next.ServeHTTP(status, r)
			if status.status == http.StatusCreated {
				path, _, _ := strings.Cut(strings.TrimPrefix(r.URL.Path, "/v2/"+project+"/"+repository+"/"), "/manifests/")
				s.count(half(path))
			}
		},
	})
	return s
}

func (s *Shares) count(half int) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.got[half]++
	if s.at.IsZero() && s.got[half] == s.want[half] {
		s.at, s.then = time.Now(), s.got
	}
}

// WhileBoth returns what each half had received when the first of them was whole.
func (s *Shares) WhileBoth() [2]int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.then
}

type statusWriter struct {
	http.ResponseWriter
	status int
}

func (s *statusWriter) Unwrap() http.ResponseWriter { return s.ResponseWriter }

func (s *statusWriter) WriteHeader(status int) {
	s.status = status
	s.ResponseWriter.WriteHeader(status)
}

// MoveTag points a tag at another image of a source repository, which stays.
func (w *World) MoveTag(repo, tag string, to digest.Digest) {
	w.source.Repository(repo).Content.Tag(tag, to)
}

// TagAtTarget returns the digest that a tag of an image of the target points at, "" for none.
func (w *World) TagAtTarget(image, tag string) digest.Digest {
	store := w.ar.Image(Target + "/" + image)
	if store == nil {
		return ""
	}
	d, _ := store.TagDigest(tag)
	return d
}

package ecrsim

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"encoding/xml"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"

	"github.com/opencontainers/go-digest"

	"transship/internal/cloudsim/store"
)

const awsDate = "20060102T150405Z"

// sign returns a URL of S3 for the blob d of repo, good for one GET or several until it expires. As with the real one
// only the host is signed, so that a Range may be added. FACTS A4.
func (g *Region) sign(repo *Repository, d digest.Digest) string {
	now := g.opts.Now().UTC()
	path := "/" + repo.registry.account + "/" + repo.name + "/" + d.String()
	q := url.Values{
		"X-Amz-Algorithm":     {"AWS4-HMAC-SHA256"},
		"X-Amz-Credential":    {"AKIAEMBEDDEDCLOUD/" + now.Format("20060102") + "/" + g.name + "/s3/aws4_request"},
		"X-Amz-Date":          {now.Format(awsDate)},
		"X-Amz-Expires":       {strconv.Itoa(int(g.opts.URLLife / time.Second))},
		"X-Amz-SignedHeaders": {"host"},
	}
	q.Set("X-Amz-Signature", g.signature(path, q))
	return (&url.URL{Scheme: "https", Host: g.S3Host(), Path: path, RawQuery: q.Encode()}).String()
}

func (g *Region) signature(path string, q url.Values) string {
	h := hmac.New(sha256.New, g.secret)
	_, _ = fmt.Fprintf(h, "GET\n%s\n%s\n%s", path, q.Get("X-Amz-Date"), q.Get("X-Amz-Expires"))
	return hex.EncodeToString(h.Sum(nil))
}

// s3 is the host that the data plane redirects blob reads to.
type s3 struct{ region *Region }

// Kind says s3.get, or s3.other for what a client should not do.
func (s s3) Kind(r *http.Request) string {
	if r.Method == http.MethodGet {
		return "s3.get"
	}
	return "s3.other"
}

// s3Error is an error as S3 sends it.
type s3Error struct {
	XMLName xml.Name `xml:"Error"`
	Code    string
	Message string
	Detail  string `xml:",omitempty"`
	status  int
}

func (s s3) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	w.Header().Set("Server", "AmazonS3")
	blob, d, quirks, err := s.open(r)
	if err != nil {
		body, _ := xml.Marshal(err)
		w.Header().Set("Content-Type", "application/xml")
		w.WriteHeader(err.status)
		_, _ = w.Write(append([]byte(xml.Header), body...))
		return
	}
	s.serve(w, r, blob, d, quirks)
}

// open checks the request as S3 does and finds the blob.
func (s s3) open(r *http.Request) (store.Blob, digest.Digest, Quirks, *s3Error) {
	fail := func(status int, code, message string) (store.Blob, digest.Digest, Quirks, *s3Error) {
		return nil, "", Quirks{}, &s3Error{Code: code, Message: message, status: status}
	}
	q := r.URL.Query()
	if r.Header.Get("Authorization") != "" {
		return fail(http.StatusBadRequest, "InvalidArgument", "Only one auth mechanism allowed; only the X-Amz-Algorithm query "+
			"parameter, Signature query string parameter or the Authorization header should be specified")
	}
	if q.Get("X-Amz-Signature") == "" {
		return fail(http.StatusForbidden, "AccessDenied", "Access Denied")
	}
	want := s.region.signature(r.URL.Path, q)
	if r.Method != http.MethodGet || !hmac.Equal([]byte(want), []byte(q.Get("X-Amz-Signature"))) {
		return fail(http.StatusForbidden, "SignatureDoesNotMatch", "The request signature we calculated does not match the "+
			"signature you provided. Check your key and signing method.")
	}
	signed, err := time.Parse(awsDate, q.Get("X-Amz-Date"))
	seconds, err2 := strconv.Atoi(q.Get("X-Amz-Expires"))
	if err != nil || err2 != nil || !s.region.opts.Now().Before(signed.Add(time.Duration(seconds)*time.Second)) {
		return fail(http.StatusForbidden, "AccessDenied", "Request has expired")
	}
	path := strings.Split(strings.Trim(r.URL.Path, "/"), "/")
	d := digest.Digest(path[len(path)-1])
	if reg := s.region.lookup(path[0]); reg != nil {
		if repo := reg.Repository(strings.Join(path[1:len(path)-1], "/")); repo != nil {
			if blob, ok := repo.Content.Blob(d); ok {
				return blob, d, reg.Quirks(), nil
			}
		}
	}
	return fail(http.StatusNotFound, "NoSuchKey", "The specified key does not exist.")
}

func (s s3) serve(w http.ResponseWriter, r *http.Request, blob store.Blob, d digest.Digest, quirks Quirks) {
	size := blob.Size()
	from, n, status := int64(0), size, http.StatusOK
	if spec := r.Header.Get("Range"); spec != "" && !quirks.IgnoreRange {
		if start, length, ok := parseRange(spec, size); !ok {
			status = http.StatusRequestedRangeNotSatisfiable
		} else if length >= 0 {
			from, n, status = start, length, http.StatusPartialContent
		}
	}
	h := w.Header()
	if status == http.StatusRequestedRangeNotSatisfiable {
		h.Set("Content-Range", fmt.Sprintf("bytes */%d", size))
		h.Set("Content-Type", "application/xml")
		w.WriteHeader(status)
		_, _ = io.WriteString(w, xml.Header+"<Error><Code>InvalidRange</Code><Message>The requested range is not satisfiable</Message></Error>")
		return
	}
	h.Set("Accept-Ranges", "bytes")
	h.Set("Content-Type", "application/octet-stream")
	h.Set("Content-Length", strconv.FormatInt(n, 10))
	etag := d.Encoded()
	h.Set("Etag", `"`+etag[:min(32, len(etag))]+`"`)
	if status == http.StatusPartialContent {
		h.Set("Content-Range", fmt.Sprintf("bytes %d-%d/%d", from, from+n-1, size))
	}
	w.WriteHeader(status)
	_, _ = io.CopyBuffer(onlyWriter{w}, io.NewSectionReader(blob, from, n), make([]byte, 64<<10))
}

// onlyWriter hides ReadFrom, so that the buffer's size is ours.
type onlyWriter struct{ io.Writer }

// parseRange reads a Range of one span. A form that S3 ignores (several spans, another unit) gives a length of -1; ok is
// false for a span outside the blob.
func parseRange(spec string, size int64) (start, length int64, ok bool) {
	spec, isBytes := strings.CutPrefix(spec, "bytes=")
	first, last, dash := strings.Cut(spec, "-")
	if !isBytes || !dash || strings.Contains(spec, ",") {
		return 0, -1, true
	}
	if first == "" {
		n, err := strconv.ParseInt(last, 10, 64)
		if err != nil || n <= 0 {
			return 0, -1, err != nil
		}
		n = min(n, size)
		return size - n, n, true
	}
	start, err := strconv.ParseInt(first, 10, 64)
	if err != nil {
		return 0, -1, true
	}
	if start >= size {
		return 0, 0, false
	}
	end := size - 1
	if last != "" {
		e, err := strconv.ParseInt(last, 10, 64)
		if err != nil || e < start {
			return 0, -1, true
		}
		end = min(end, e)
	}
	return start, end - start + 1, true
}

package oci

import (
	"errors"
	"net"
	"net/http"
	"net/url"
	"strings"

	"github.com/opencontainers/go-digest"
)

// maxRedirects bounds the hops from a request to its answer: ECR and Artifact Registry need one.
const maxRedirects = 5

// maxLocation bounds a Location, in bytes. Signed URLs with a session token in them have some 2 KiB.
const maxLocation = 16 << 10

// Upload is where a registry wants a blob's bytes. The zero value is nowhere: start one.
type Upload struct {
	location *url.URL
}

// IsZero reports whether u is nowhere.
func (u Upload) IsZero() bool { return u.location == nil }

// commit returns the URL that completes the upload as d. The Location's own query stays as it is, byte for byte: it may
// be signed.
func (u Upload) commit(d digest.Digest) *url.URL {
	to := *u.location
	query := "digest=" + url.QueryEscape(d.String())
	if to.RawQuery != "" {
		query = strings.TrimSuffix(to.RawQuery, "&") + "&" + query
	}
	to.RawQuery, to.ForceQuery = query, false
	return &to
}

// resolveLocation reads a Location header, which may be relative to the request's URL. Its errors do not repeat the
// location: a signed URL is a credential.
func resolveLocation(base *url.URL, location string) (*url.URL, error) {
	switch {
	case location == "":
		return nil, errors.New("the answer has no Location")
	case len(location) > maxLocation:
		return nil, errors.New("the answer's Location is too long")
	}
	to, err := base.Parse(location)
	switch {
	case err != nil:
		return nil, errors.New("the answer's Location is not a URL")
	case to.Scheme != "https":
		return nil, errors.New("the answer's Location is not https: plain HTTP is never used")
	case to.User != nil:
		return nil, errors.New("the answer's Location has a user name in it")
	case to.Hostname() == "" || to.Opaque != "":
		return nil, errors.New("the answer's Location has no host")
	}
	to.Fragment, to.RawFragment = "", ""
	return to, nil
}

// isRedirect reports whether an answer says that it is elsewhere.
func isRedirect(status int) bool {
	switch status {
	case http.StatusMovedPermanently, http.StatusFound, http.StatusSeeOther,
		http.StatusTemporaryRedirect, http.StatusPermanentRedirect:
		return true
	}
	return false
}

// sameHost reports whether u is on host over https, which is where the credential may go.
func sameHost(u *url.URL, host string) bool {
	return u.Scheme == "https" && hostPort(u.Host) == hostPort(host)
}

// hostPort returns host in lower case with its port, by default that of https.
func hostPort(host string) string {
	host = strings.ToLower(host)
	if name, port, err := net.SplitHostPort(host); err == nil {
		if port == "" {
			port = "443"
		}
		return net.JoinHostPort(name, port)
	}
	return net.JoinHostPort(strings.Trim(host, "[]"), "443")
}

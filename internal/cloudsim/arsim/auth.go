package arsim

import (
	"encoding/base64"
	"encoding/json"
	"fmt"
	"net/http"
	"strings"
	"sync"
	"time"

	"github.com/opencontainers/go-digest"
)

// tokens are the access and registry tokens that are accepted, each until its expiry.
type tokens struct {
	mu     sync.Mutex
	expiry map[string]time.Time
	fixed  string
	issued int
}

// IssueToken returns a new access token that is valid for ttl by the Cloud's clock.
func (c *Cloud) IssueToken(ttl time.Duration) string { return c.issue("ya29.", c.now().Add(ttl)) }

// Revoke makes a token invalid at once.
func (c *Cloud) Revoke(token string) {
	c.tokens.mu.Lock()
	defer c.tokens.mu.Unlock()
	delete(c.tokens.expiry, token)
	if token == c.tokens.fixed {
		c.tokens.fixed = ""
	}
}

func (c *Cloud) issue(prefix string, expiry time.Time) string {
	c.tokens.mu.Lock()
	defer c.tokens.mu.Unlock()
	c.tokens.issued++
	token := prefix + "sim-" + digest.FromString(fmt.Sprintf("token/%d", c.tokens.issued)).Encoded()[:40]
	c.tokens.expiry[token] = expiry
	return token
}

// TokenGood reports whether an access token is accepted now.
func (c *Cloud) TokenGood(token string) bool {
	_, ok := c.expiryOf(token)
	return ok
}

// expiryOf returns when a token ends, and whether it is valid now.
func (c *Cloud) expiryOf(token string) (time.Time, bool) {
	c.tokens.mu.Lock()
	defer c.tokens.mu.Unlock()
	if token != "" && token == c.tokens.fixed {
		return c.now().Add(c.opts.TokenLifetime), true
	}
	expiry, ok := c.tokens.expiry[token]
	return expiry, ok && c.now().Before(expiry)
}

// authorize returns until when the request's credentials are good, and whether they are good now. The data plane
// takes Basic credentials besides bearer tokens (FACTS B5).
func (c *Cloud) authorize(r *http.Request, basicToo bool) (time.Time, bool) {
	header := r.Header.Get("Authorization")
	if scheme, token, ok := strings.Cut(header, " "); ok && strings.EqualFold(scheme, "Bearer") {
		return c.expiryOf(strings.TrimSpace(token))
	}
	user, password, ok := r.BasicAuth()
	if !ok || !basicToo {
		return time.Time{}, false
	}
	return c.authorizeBasic(user, password)
}

func (c *Cloud) authorizeBasic(user, password string) (time.Time, bool) {
	switch user {
	case "oauth2accesstoken", "_token", "_dcgcloud_token":
		return c.expiryOf(password)
	case "_json_key_base64":
		key, err := base64.StdEncoding.DecodeString(password)
		if err != nil {
			return time.Time{}, false
		}
		password = string(key)
	case "_json_key":
	default:
		return time.Time{}, false
	}
	var key struct {
		Type        string `json:"type"`
		ClientEmail string `json:"client_email"`
	}
	ok := json.Unmarshal([]byte(password), &key) == nil && key.Type == "service_account" && key.ClientEmail != ""
	return c.now().Add(c.opts.TokenLifetime), ok
}

// carriesRegistryToken reports whether the request's credential is what serveToken hands out.
func carriesRegistryToken(r *http.Request) bool {
	return strings.HasPrefix(r.Header.Get("Authorization"), "Bearer registry.")
}

// challenge answers 401 with the place where a registry token is to be had.
func challenge(w http.ResponseWriter, r *http.Request, rt dataRoute) {
	value := fmt.Sprintf(`Bearer realm="%s/v2/token",service="%s"`, origin(r), r.Host)
	if rt.name != "" {
		actions := "pull"
		if classOf(r.Method) != reading {
			actions = "pull,push"
		}
		value += fmt.Sprintf(`,scope="repository:%s:%s"`, rt.name, actions)
	}
	w.Header().Set("WWW-Authenticate", value)
	refuse(http.StatusUnauthorized, "UNAUTHORIZED", "authentication failed").write(w, r)
}

// origin is the scheme and host that the request came to.
func origin(r *http.Request) string {
	if r.TLS == nil {
		return "http://" + r.Host
	}
	return "https://" + r.Host
}

// serveToken exchanges Basic or Bearer credentials for a registry token, which lives as long as they do.
func (h *DataHandler) serveToken(w http.ResponseWriter, r *http.Request) {
	expiry, ok := h.cloud.authorize(r, true)
	if !ok && r.Method == http.MethodPost {
		expiry, ok = h.cloud.authorizeBasic(r.PostFormValue("username"), r.PostFormValue("password"))
	}
	if !ok {
		refuse(http.StatusUnauthorized, "UNAUTHORIZED", "authentication failed").write(w, r)
		return
	}
	token := h.cloud.issue("registry.", expiry)
	writeJSON(w, http.StatusOK, map[string]any{
		"token": token, "access_token": token,
		"expires_in": int(expiry.Sub(h.cloud.now()).Seconds()), "issued_at": timestamp(h.cloud.now()),
	})
}

func timestamp(t time.Time) string { return t.UTC().Format("2006-01-02T15:04:05.000000Z") }

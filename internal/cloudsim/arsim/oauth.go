package arsim

import (
	"encoding/base64"
	"encoding/json"
	"net/http"
	"strings"
)

// OAuthHandler serves the token endpoint of Google accounts, oauth2.googleapis.com/token.
type OAuthHandler struct{ cloud *Cloud }

// OAuth returns the token endpoint's handler.
func (c *Cloud) OAuth() *OAuthHandler { return &OAuthHandler{c} }

// Kind returns ar.oauth.token, or ar.oauth.other.
func (h *OAuthHandler) Kind(r *http.Request) string {
	if r.URL.Path == "/token" {
		return "ar.oauth.token"
	}
	return "ar.oauth.other"
}

// ServeHTTP answers JWT-bearer and refresh-token grants with an access token. It checks their form, not their
// signatures: whose key it was is not what is being tested.
func (h *OAuthHandler) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if r.URL.Path != "/token" || r.Method != http.MethodPost {
		http.NotFound(w, r)
		return
	}
	ok := false
	switch r.PostFormValue("grant_type") {
	case "urn:ietf:params:oauth:grant-type:jwt-bearer":
		ok = wellFormedAssertion(r.PostFormValue("assertion"))
	case "refresh_token":
		ok = r.PostFormValue("refresh_token") != ""
	default:
		oauthError(w, "unsupported_grant_type", "Invalid grant_type: "+r.PostFormValue("grant_type"))
		return
	}
	if !ok {
		oauthError(w, "invalid_grant", "Invalid JWT or refresh token.")
		return
	}
	lifetime := h.cloud.opts.TokenLifetime
	writeJSON(w, http.StatusOK, map[string]any{
		"access_token": h.cloud.IssueToken(lifetime), "expires_in": int(lifetime.Seconds()), "token_type": "Bearer",
	})
}

func oauthError(w http.ResponseWriter, code, description string) {
	writeJSON(w, http.StatusBadRequest, map[string]string{"error": code, "error_description": description})
}

func wellFormedAssertion(jwt string) bool {
	parts := strings.Split(jwt, ".")
	if len(parts) != 3 {
		return false
	}
	claims, err := base64.RawURLEncoding.DecodeString(parts[1])
	if err != nil {
		return false
	}
	var c struct {
		Issuer string `json:"iss"`
	}
	return json.Unmarshal(claims, &c) == nil && c.Issuer != ""
}

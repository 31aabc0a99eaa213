package iamsim

import (
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"sync"
	"time"
)

// The hosts of Google's identity services.
const (
	GoogleSTSHost = "sts.googleapis.com"
	GoogleIAMHost = "iamcredentials.googleapis.com"
)

// ServiceAccount is a service account of Google's.
type ServiceAccount struct {
	Email string
	// Actors are who may act as it: e-mail addresses, or principals such as
	// principal://iam.googleapis.com/POOL/subject/SUBJECT. Nil means everybody.
	Actors []string
}

// Pool is a provider of a workload identity pool.
type Pool struct {
	// Audience is its resource name, such as
	// //iam.googleapis.com/projects/1/locations/global/workloadIdentityPools/p/providers/aws.
	Audience string
	// Account is the AWS account whose identities it takes; empty means none.
	Account string
	// Issuer is the OIDC issuer whose tokens it takes; empty means none.
	Issuer string
}

// Google is the service accounts and pools of all projects. It is safe for concurrent use.
type Google struct {
	now    func() time.Time
	aws    *AWS
	secret []byte

	// IssueToken makes an access token, and TokenGood says whether one is good.
	IssueToken func(ttl time.Duration) string
	TokenGood  func(token string) bool
	// TokenLife is how long tokens of this package live; 0 is an hour.
	TokenLife time.Duration

	mu       sync.Mutex
	accounts map[string]ServiceAccount
	pools    map[string]Pool
	owners   map[string]string // of access tokens
}

// New returns a world without anybody. Access tokens are Google's to make once IssueToken and TokenGood are set.
func New(now func() time.Time) (*AWS, *Google) {
	a, g := newAWS(now), &Google{
		now: now, secret: make([]byte, 32), accounts: map[string]ServiceAccount{}, pools: map[string]Pool{}, owners: map[string]string{},
		IssueToken: func(time.Duration) string { return "" }, TokenGood: func(string) bool { return false },
	}
	_, _ = rand.Read(g.secret) // never fails
	a.google, g.aws = g, a
	return a, g
}

// AddServiceAccount makes a service account, or replaces it.
func (g *Google) AddServiceAccount(s ServiceAccount) {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.accounts[s.Email] = s
}

// AddPool makes a provider of a pool, or replaces it.
func (g *Google) AddPool(p Pool) {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.pools[p.Audience] = p
}

// Owner returns whom an access token belongs to, as far as it was made here.
func (g *Google) Owner(token string) string {
	g.mu.Lock()
	defer g.mu.Unlock()
	return g.owners[token]
}

func (g *Google) token(owner string, life time.Duration) (string, time.Time) {
	token := g.IssueToken(life)
	g.mu.Lock()
	defer g.mu.Unlock()
	g.owners[token] = owner
	return token, g.now().Add(life)
}

func (g *Google) life() time.Duration { return lifeOf(g.TokenLife) }

// Claims are what an ID token says.
type Claims struct {
	Issuer   string `json:"iss"`
	Audience string `json:"aud"`
	Subject  string `json:"sub"`
	Party    string `json:"azp,omitempty"`
	Email    string `json:"email,omitempty"`
	Expires  int64  `json:"exp"`
	Issued   int64  `json:"iat"`
}

var errExpired = errors.New("the token has expired")

// IDToken returns an ID token of the service account with that e-mail address.
func (g *Google) IDToken(email, audience string) string {
	now := g.now()
	sub := Subject(email)
	return g.Sign(Claims{"https://accounts.google.com", audience, sub, sub, email, now.Add(g.life()).Unix(), now.Unix()})
}

// Subject is the numeric id of the service account with that e-mail address.
func Subject(email string) string {
	sum := sha256.Sum256([]byte(email))
	var n uint64
	for _, b := range sum[:7] {
		n = n<<8 | uint64(b)
	}
	return fmt.Sprintf("1%020d", n)
}

// Sign makes a token of claims that this world accepts: an OIDC issuer's.
func (g *Google) Sign(c Claims) string {
	body, err := json.Marshal(c)
	if err != nil {
		return ""
	}
	text := base64.RawURLEncoding.EncodeToString([]byte(`{"alg":"RS256","typ":"JWT","kid":"embedded"}`)) + "." + base64.RawURLEncoding.EncodeToString(body)
	return text + "." + base64.RawURLEncoding.EncodeToString(g.mac(text))
}

func (g *Google) mac(text string) []byte {
	m := hmac.New(sha256.New, g.secret)
	m.Write([]byte(text))
	return m.Sum(nil)
}

// verify returns the claims of a token that Sign made and that is still good.
func (g *Google) verify(token string) (Claims, error) {
	i := strings.LastIndex(token, ".")
	if i < 0 || strings.Count(token, ".") != 2 {
		return Claims{}, errors.New("it is no JWT")
	}
	signature, err := base64.RawURLEncoding.DecodeString(token[i+1:])
	if err != nil || !hmac.Equal(signature, g.mac(token[:i])) {
		return Claims{}, errors.New("its signature is not right")
	}
	body, err := base64.RawURLEncoding.DecodeString(strings.Split(token, ".")[1])
	if err != nil {
		return Claims{}, err
	}
	var c Claims
	if err := json.Unmarshal(body, &c); err != nil {
		return Claims{}, err
	}
	if g.now().Unix() >= c.Expires {
		return Claims{}, errExpired
	}
	return c, nil
}

// GoogleSTS exchanges identities of others for access tokens, at sts.googleapis.com/v1/token, and refresh tokens of
// workforce users, at /v1/oauthtoken.
type GoogleSTS struct{ Google *Google }

// Kind says google.sts.
func (GoogleSTS) Kind(*http.Request) string { return "google.sts" }

func (s GoogleSTS) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	r.Body = http.MaxBytesReader(w, r.Body, 256<<10)
	if r.URL.Path == "/v1/oauthtoken" && r.Method == http.MethodPost && r.PostFormValue("grant_type") == "refresh_token" && r.PostFormValue("refresh_token") != "" {
		life := s.Google.life()
		token, _ := s.Google.token("workforce user", life)
		answerJSON(w, http.StatusOK, map[string]any{"access_token": token, "token_type": "Bearer", "expires_in": int(life.Seconds())})
		return
	}
	if r.URL.Path != "/v1/token" || r.Method != http.MethodPost || r.ParseForm() != nil {
		http.NotFound(w, r)
		return
	}
	owner, err := s.Google.federate(r.PostForm)
	if err != nil {
		answerJSON(w, http.StatusBadRequest, map[string]string{"error": "invalid_grant", "error_description": err.Error()})
		return
	}
	life := s.Google.life()
	token, _ := s.Google.token(owner, life)
	answerJSON(w, http.StatusOK, map[string]any{
		"access_token": token, "issued_token_type": "urn:ietf:params:oauth:token-type:access_token", "token_type": "Bearer", "expires_in": int(life.Seconds()),
	})
}

// federate returns the principal that the exchange's subject is.
func (g *Google) federate(form url.Values) (string, error) {
	g.mu.Lock()
	pool, ok := g.pools[form.Get("audience")]
	g.mu.Unlock()
	if !ok {
		return "", errors.New("the pool of the audience does not exist")
	}
	name, _, _ := strings.Cut(strings.TrimPrefix(pool.Audience, "//iam.googleapis.com/"), "/providers/")
	principal := "principal://iam.googleapis.com/" + name + "/subject/"
	subject := form.Get("subject_token")
	switch form.Get("subject_token_type") {
	case "urn:ietf:params:aws:token-type:aws4_request":
		p, err := g.signedRequest(subject, pool.Audience)
		if err != nil {
			return "", err
		}
		if pool.Account == "" || p.Account != pool.Account {
			return "", fmt.Errorf("the given credential is rejected by the attribute condition: account %s", p.Account)
		}
		return principal + p.ARN, nil
	case "urn:ietf:params:oauth:token-type:jwt", "urn:ietf:params:oauth:token-type:id_token":
		c, err := g.verify(subject)
		if err != nil {
			return "", fmt.Errorf("error verifying the subject token: %w", err)
		}
		if pool.Issuer == "" || c.Issuer != pool.Issuer {
			return "", errors.New("the issuer in the ID token does not match the expected one")
		}
		return principal + c.Subject, nil
	}
	return "", errors.New("the subject token type is not supported")
}

// signedRequest returns who signed the GetCallerIdentity request that the token is.
func (g *Google) signedRequest(token, audience string) (Principal, error) {
	text, err := url.QueryUnescape(token)
	if err != nil {
		return Principal{}, errors.New("the subject token is not URL-encoded")
	}
	var request struct {
		URL, Method string
		Headers     []struct{ Key, Value string }
	}
	if err := json.Unmarshal([]byte(text), &request); err != nil {
		return Principal{}, errors.New("the subject token is not JSON")
	}
	u, err := url.Parse(request.URL)
	if err != nil || u.Scheme != "https" || !strings.HasPrefix(u.Host, "sts.") || !strings.HasSuffix(u.Host, ".amazonaws.com") ||
		u.Query().Get("Action") != "GetCallerIdentity" || request.Method != http.MethodPost {
		return Principal{}, errors.New("the subject token is not a GetCallerIdentity request")
	}
	header := http.Header{}
	for _, h := range request.Headers {
		header.Add(h.Key, h.Value)
	}
	if header.Get("X-Goog-Cloud-Target-Resource") != audience {
		return Principal{}, errors.New("the request was signed for another pool")
	}
	_, rest, _ := strings.Cut(header.Get("Authorization"), "Credential=")
	id, _, _ := strings.Cut(rest, "/")
	e, status := g.aws.find(id, header.Get("X-Amz-Security-Token"))
	if status != Good {
		return Principal{}, errors.New("invalid security credentials (AWS would not take the request)")
	}
	if err := verifySignature(request.Method, u, header, e.SecretAccessKey); err != nil {
		return Principal{}, err
	}
	return e.principal, nil
}

// GoogleIAM makes tokens of service accounts: iamcredentials.googleapis.com.
type GoogleIAM struct{ Google *Google }

// Kind says google.iam.METHOD.
func (GoogleIAM) Kind(r *http.Request) string {
	_, method, _ := strings.Cut(r.URL.Path, ":")
	switch method {
	case "generateAccessToken", "generateIdToken":
		return "google.iam." + method
	}
	return "google.iam.other"
}

func (s GoogleIAM) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	name, method, _ := strings.Cut(r.URL.Path, ":")
	email, ok := strings.CutPrefix(name, "/v1/projects/-/serviceAccounts/")
	if !ok || r.Method != http.MethodPost {
		http.NotFound(w, r)
		return
	}
	var in struct{ Audience, Lifetime string }
	if err := json.NewDecoder(http.MaxBytesReader(w, r.Body, 64<<10)).Decode(&in); err != nil {
		googleError(w, http.StatusBadRequest, "INVALID_ARGUMENT", err.Error())
		return
	}
	token, _ := strings.CutPrefix(r.Header.Get("Authorization"), "Bearer ")
	if !s.Google.TokenGood(token) {
		googleError(w, http.StatusUnauthorized, "UNAUTHENTICATED", "Request had invalid authentication credentials.")
		return
	}
	s.Google.mu.Lock()
	account, known := s.Google.accounts[email]
	owner := s.Google.owners[token]
	s.Google.mu.Unlock()
	switch {
	case !known:
		googleError(w, http.StatusNotFound, "NOT_FOUND", "Not found; Gaia id not found for email "+email)
		return
	case account.Actors != nil && !slices.Contains(account.Actors, owner):
		googleError(w, http.StatusForbidden, "PERMISSION_DENIED", "Permission 'iam.serviceAccounts.getAccessToken' denied on resource (or it may not exist).")
		return
	}
	switch method {
	case "generateAccessToken":
		token, expires := s.Google.token(email, s.Google.life())
		answerJSON(w, http.StatusOK, map[string]string{"accessToken": token, "expireTime": expires.UTC().Format(time.RFC3339)})
	case "generateIdToken":
		answerJSON(w, http.StatusOK, map[string]string{"token": s.Google.IDToken(email, in.Audience)})
	default:
		http.NotFound(w, r)
	}
}

func googleError(w http.ResponseWriter, status int, code, message string) {
	answerJSON(w, status, map[string]any{"error": map[string]any{"code": status, "status": code, "message": message}})
}

// GoogleOAuth is the token endpoint of Google accounts: it gives ID tokens for assertions that name a target audience, and
// leaves the others to Tokens.
type GoogleOAuth struct {
	Google *Google
	Tokens http.Handler
}

// Kind is that of Tokens.
func (o GoogleOAuth) Kind(r *http.Request) string {
	if k, ok := o.Tokens.(interface{ Kind(*http.Request) string }); ok {
		return k.Kind(r)
	}
	return "other"
}

func (o GoogleOAuth) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	r.Body = http.MaxBytesReader(w, r.Body, 64<<10)
	var claims struct {
		Issuer string `json:"iss"`
		Target string `json:"target_audience"`
	}
	if parts := strings.Split(r.PostFormValue("assertion"), "."); len(parts) == 3 {
		if body, err := base64.RawURLEncoding.DecodeString(parts[1]); err == nil {
			_ = json.Unmarshal(body, &claims) // what it is not has no target
		}
	}
	if claims.Target == "" || claims.Issuer == "" {
		o.Tokens.ServeHTTP(w, r)
		return
	}
	answerJSON(w, http.StatusOK, map[string]string{"id_token": o.Google.IDToken(claims.Issuer, claims.Target)})
}

// Metadata is the metadata server of a machine that runs as the service account Email: what GCE_METADATA_HOST points to.
type Metadata struct {
	Google *Google
	Email  string
}

func (m Metadata) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	w.Header().Set("Metadata-Flavor", "Google")
	if r.Header.Get("Metadata-Flavor") != "Google" && r.URL.Path != "/" {
		http.Error(w, "Missing required header \"Metadata-Flavor\": \"Google\"", http.StatusForbidden)
		return
	}
	const account = "/computeMetadata/v1/instance/service-accounts/default/"
	switch r.URL.Path {
	case account + "token":
		life := m.Google.life()
		token, _ := m.Google.token(m.Email, life)
		answerJSON(w, http.StatusOK, map[string]any{"access_token": token, "expires_in": int(life.Seconds()), "token_type": "Bearer"})
	case account + "identity":
		_, _ = w.Write([]byte(m.Google.IDToken(m.Email, r.URL.Query().Get("audience"))))
	case account + "email":
		_, _ = w.Write([]byte(m.Email))
	case "/computeMetadata/v1/project/project-id":
		_, _ = w.Write([]byte("my-gcp-project"))
	case "/computeMetadata/v1/universe/universe-domain", "/computeMetadata/v1/universe/universe_domain":
		_, _ = w.Write([]byte("googleapis.com"))
	case "/":
		_, _ = w.Write([]byte("computeMetadata/"))
	default:
		http.NotFound(w, r)
	}
}

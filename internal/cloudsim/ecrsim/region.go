package ecrsim

import (
	"crypto/rand"
	"encoding/base64"
	"io"
	"log/slog"
	"net/http"
	"slices"
	"strings"
	"sync"
	"time"

	"transship/internal/cloudsim/iamsim"
)

// Options say what the registries of a region are like. The zero value is ECR as documented, on the real clock.
type Options struct {
	// Now is the clock by which tokens and signed URLs expire and images get their times. Default time.Now.
	Now func() time.Time
	// Logger gets what a server wants to say. Default: nothing is logged.
	Logger *slog.Logger
	// TokenLife is how long an authorization token is valid. Default 12 hours, as ECR has it.
	TokenLife time.Duration
	// URLLife is how long a signed S3 URL is valid. Default 1 hour.
	URLLife time.Duration
	// Quirks are what new registries begin with.
	Quirks Quirks
	// IAM knows users and roles, whose keys may read their own account's registries and those that they were given. Keys
	// that it does not know, or where it is nil, are the registries' own: see SetAccessKeys.
	IAM *iamsim.AWS
}

func (o *Options) fill() {
	if o.Now == nil {
		o.Now = time.Now
	}
	if o.Logger == nil {
		o.Logger = slog.New(slog.DiscardHandler)
	}
	if o.TokenLife <= 0 {
		o.TokenLife = 12 * time.Hour
	}
	if o.URLLife <= 0 {
		o.URLLife = time.Hour
	}
}

// IndexMode is what BatchGetImage does with image indexes.
type IndexMode int

// FACTS A1 [U], F2: the API model does not list index media types among the valid values of acceptedMediaTypes.
const (
	// IndexesServed serves them, whether acceptedMediaTypes names their type or not.
	IndexesServed IndexMode = iota
	// IndexTypesRefused answers InvalidParameterException to a request that accepts an index type.
	IndexTypesRefused
	// IndexesFailed lists every index under failures.
	IndexesFailed
)

// ReferrersMode is what GET /v2/NAME/referrers/DIGEST answers.
type ReferrersMode int

// FACTS A4, F2 [U].
const (
	// ReferrersServed answers an OCI index.
	ReferrersServed ReferrersMode = iota
	// ReferrersNotFound answers 404.
	ReferrersNotFound
	// ReferrersFalse answers 200 with something that is not an index.
	ReferrersFalse
)

// Quirks play the facts about ECR that are not confirmed. The zero value is the documented or likelier side of each.
type Quirks struct {
	// HideReferrers leaves images with a subject out of DescribeImages and ListImages. FACTS A1 [U].
	HideReferrers bool
	// Indexes is what BatchGetImage does with indexes.
	Indexes IndexMode
	// Referrers is what the data plane says about referrers.
	Referrers ReferrersMode
	// IgnoreRange makes S3 answer every range with 200 and the whole blob. FACTS A4 [U].
	IgnoreRange bool
	// SparsePages cuts pages before filters apply: pages are short, or empty, and still have a nextToken.
	SparsePages bool
	// ArchivedFailureCode is BatchGetImage's failure code for an archived image. Default ImageNotFound. FACTS A4 [U].
	ArchivedFailureCode string
}

// Region is what one AWS region serves under shared names. It is safe for concurrent use.
type Region struct {
	name   string
	opts   Options
	secret []byte // signs S3 URLs

	mu         sync.RWMutex
	registries []*Registry // in order of creation: the first is the default
	tokens     map[string]token
}

type token struct {
	principal iamsim.Principal // the zero value may read everything
	expires   time.Time
}

func (t token) mayRead(account string) bool {
	return t.principal.ARN == "" || t.principal.MayRead(account)
}

// NewRegion returns a region without registries.
func NewRegion(name string, opts Options) *Region {
	opts.fill()
	secret := make([]byte, 32)
	_, _ = rand.Read(secret) // never fails
	return &Region{name: name, opts: opts, secret: secret, tokens: map[string]token{}}
}

// Name returns the region's name, such as us-east-1.
func (g *Region) Name() string { return g.name }

// Registry returns the registry of account, 12 digits, made on first use.
func (g *Region) Registry(account string) *Registry {
	g.mu.Lock()
	defer g.mu.Unlock()
	if r := g.find(account); r != nil {
		return r
	}
	r := newRegistry(account, g)
	g.registries = append(g.registries, r)
	return r
}

func (g *Region) find(account string) *Registry {
	i := slices.IndexFunc(g.registries, func(r *Registry) bool { return r.account == account })
	if i < 0 {
		return nil
	}
	return g.registries[i]
}

func (g *Region) lookup(account string) *Registry {
	g.mu.RLock()
	defer g.mu.RUnlock()
	return g.find(account)
}

// Caller returns the registry of the account that the access key belongs to, and whether the key is good. Where no
// registry of the region was given keys, every key is good and belongs to the first registry.
func (g *Region) Caller(accessKey string) (*Registry, bool) {
	g.mu.RLock()
	defer g.mu.RUnlock()
	known := false
	for _, r := range g.registries {
		keys := r.accessKeys()
		known = known || len(keys) > 0
		if slices.Contains(keys, accessKey) {
			return r, true
		}
	}
	if known || len(g.registries) == 0 {
		return nil, false
	}
	return g.registries[0], true
}

// issue makes a password for the data planes of the region.
func (g *Region) issue(p iamsim.Principal) (password string, expires time.Time) {
	raw := make([]byte, 96)
	_, _ = rand.Read(raw)
	password = base64.RawURLEncoding.EncodeToString(raw)
	expires = g.opts.Now().Add(g.opts.TokenLife)
	g.mu.Lock()
	defer g.mu.Unlock()
	g.tokens[password] = token{p, expires}
	return password, expires
}

// ExpireTokens makes every authorization token that was given out until now expired.
func (g *Region) ExpireTokens() {
	g.mu.Lock()
	defer g.mu.Unlock()
	for password, t := range g.tokens {
		t.expires = time.Time{}
		g.tokens[password] = t
	}
}

// tokenState says whether the password was ever given out, and whether it still is valid.
func (g *Region) tokenState(password string) (t token, known, valid bool) {
	g.mu.RLock()
	defer g.mu.RUnlock()
	t, known = g.tokens[password]
	return t, known, known && g.opts.Now().Before(t.expires)
}

// APIHosts returns the names of the region's API.
func (g *Region) APIHosts() []string {
	return []string{
		"api.ecr." + g.name + suffix(g.name),
		"api.ecr-fips." + g.name + suffix(g.name),
		"ecr." + g.name + apiSuffix(g.name),
		"ecr-fips." + g.name + apiSuffix(g.name),
	}
}

// S3Host returns the name of the host that serves the layers of the region.
func (g *Region) S3Host() string {
	return "prod-" + g.name + "-starport-layer-bucket.s3." + g.name + suffix(g.name)
}

// STSHosts returns the names at which STS answers for the region.
func (g *Region) STSHosts() []string {
	return []string{
		"sts.amazonaws.com", "sts." + g.name + suffix(g.name), "sts-fips." + g.name + suffix(g.name),
		"sts." + g.name + apiSuffix(g.name), "sts-fips." + g.name + apiSuffix(g.name),
	}
}

// apiSuffix is the DNS suffix of the dual-stack API names of the region's partition. FACTS A3.
func apiSuffix(region string) string {
	switch {
	case strings.HasPrefix(region, "cn-"):
		return ".api.amazonwebservices.com.cn"
	case strings.HasPrefix(region, "eusc-"):
		return ".api.amazonwebservices.eu"
	default:
		return ".api.aws"
	}
}

// suffix is the DNS suffix of the region's partition. FACTS A3.
func suffix(region string) string {
	switch {
	case len(region) > 3 && region[:3] == "cn-":
		return ".amazonaws.com.cn"
	case len(region) > 5 && region[:5] == "eusc-":
		return ".amazonaws.eu"
	default:
		return ".amazonaws.com"
	}
}

// partition is the second field of an ARN of the region.
func partition(region string) string {
	switch {
	case len(region) > 3 && region[:3] == "cn-":
		return "aws-cn"
	case len(region) > 5 && region[:5] == "eusc-":
		return "aws-eusc"
	case len(region) > 7 && region[:7] == "us-gov-":
		return "aws-us-gov"
	default:
		return "aws"
	}
}

// Handlers returns what the region serves under shared names: host name to handler.
func (g *Region) Handlers() map[string]http.Handler {
	out := map[string]http.Handler{g.S3Host(): s3{g}}
	for _, host := range g.APIHosts() {
		out[host] = api{g}
	}
	return out
}

// drain reads what is left of a request body, so that the connection can be used again; at most 64 KiB.
func drain(body io.Reader) { _, _ = io.CopyN(io.Discard, body, 64<<10) }

package ecrsim

import (
	"cmp"
	"net/http"
	"slices"
	"strings"
	"sync"
	"time"

	"golang.org/x/time/rate"
)

// Registry is one account's ECR in one region. It is an http.Handler: its data plane. It is safe for concurrent use.
type Registry struct {
	account string
	region  *Region

	mu         sync.RWMutex
	repos      map[string]*Repository
	quirks     Quirks
	keys       []string
	caller     string
	limits     map[string]*rate.Limiter
	denied     map[string]bool
	uploads    map[string]*upload
	rules      []PullThroughCacheRule
	exclusions []exclusion
	settings   map[string]string
	scanType   string
	scanRules  []ScanRule
	events     func(body string)
	policy     string // of the registry; "" is none
}

// PullThroughCacheRule says that repositories under Prefix are filled from an upstream registry.
type PullThroughCacheRule struct {
	Prefix, UpstreamURL, Upstream string
	CreatedAt                     time.Time
}

// exclusion is a principal whose pulls do not count as pulls.
type exclusion struct {
	PrincipalArn string `json:"principalArn"`
	CreatedAt    epoch  `json:"createdAt"`
}

// New returns the registry of account, 12 digits, in a region of its own. Registries that shall share a region's hosts
// come from one Region.
func New(account, region string, opts Options) *Registry {
	return NewRegion(region, opts).Registry(account)
}

func newRegistry(account string, g *Region) *Registry {
	return &Registry{
		account: account, region: g, quirks: g.opts.Quirks,
		caller:   "arn:" + partition(g.name) + ":iam::" + account + ":user/migrator",
		repos:    map[string]*Repository{},
		limits:   map[string]*rate.Limiter{},
		uploads:  map[string]*upload{},
		scanType: "BASIC",
		settings: map[string]string{
			"BASIC_SCAN_TYPE_VERSION": "AWS_NATIVE", "REGISTRY_POLICY_SCOPE": "V2", "BLOB_MOUNTING": "DISABLED",
		},
	}
}

// Account returns the 12 digits of the registry's account.
func (r *Registry) Account() string { return r.account }

// Region returns the region that the registry lies in.
func (r *Registry) Region() *Region { return r.region }

// Host returns the name of the registry's data plane.
func (r *Registry) Host() string {
	return r.account + ".dkr.ecr." + r.region.name + suffix(r.region.name)
}

// Hosts returns all names of the registry's data plane: FIPS and dual-stack too. FACTS A3.
func (r *Registry) Hosts() []string {
	name, dual := r.region.name, ".on.aws"
	if strings.HasPrefix(name, "cn-") {
		return []string{r.Host(), r.account + ".dkr.ecr." + name + ".on.amazonwebservices.com.cn"}
	}
	return []string{
		r.Host(),
		r.account + ".dkr.ecr-fips." + name + suffix(name),
		r.account + ".dkr-ecr." + name + dual,
		r.account + ".dkr-ecr-fips." + name + dual,
	}
}

// Handlers returns what the registry serves: its data plane hosts and those that its region shares.
func (r *Registry) Handlers() map[string]http.Handler {
	out := r.region.Handlers()
	for _, host := range r.Hosts() {
		out[host] = r
	}
	return out
}

// Quirks returns the registry's quirks.
func (r *Registry) Quirks() Quirks {
	r.mu.RLock()
	defer r.mu.RUnlock()
	return r.quirks
}

// SetQuirks replaces the registry's quirks.
func (r *Registry) SetQuirks(q Quirks) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.quirks = q
}

// SetAccessKeys makes keys the access key ids of the registry's account. From then on the region refuses keys that it
// does not know.
func (r *Registry) SetAccessKeys(keys ...string) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.keys = keys
}

func (r *Registry) accessKeys() []string {
	r.mu.RLock()
	defer r.mu.RUnlock()
	return r.keys
}

// SetCaller sets the ARN that STS tells to the holders of the account's keys.
func (r *Registry) SetCaller(arn string) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.caller = arn
}

// CallerARN returns the ARN of the account's caller.
func (r *Registry) CallerARN() string {
	r.mu.RLock()
	defer r.mu.RUnlock()
	return r.caller
}

// SetLimit allows an API operation perSecond times a second with bursts of burst; a data plane request counts as the
// operation that it stands for (a manifest GET as BatchGetImage, a blob GET as GetDownloadUrlForLayer). FACTS A2. A rate
// of 0 takes the limit away.
func (r *Registry) SetLimit(operation string, perSecond float64, burst int) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if perSecond <= 0 {
		delete(r.limits, operation)
		return
	}
	r.limits[operation] = rate.NewLimiter(rate.Limit(perSecond), burst)
}

// allow takes one operation from its limit.
func (r *Registry) allow(operation string) bool {
	r.mu.RLock()
	l := r.limits[operation]
	r.mu.RUnlock()
	return l == nil || l.AllowN(r.now(), 1)
}

// AddPullThroughCacheRule adds a rule. The repositories under its prefix are ordinary ones: nothing is fetched.
func (r *Registry) AddPullThroughCacheRule(rule PullThroughCacheRule) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.rules = append(r.rules, rule)
}

// SetAccountSetting sets what GetAccountSetting says; BLOB_MOUNTING of ENABLED allows mounts.
func (r *Registry) SetAccountSetting(name, value string) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.settings[name] = value
}

func (r *Registry) accountSetting(name string) (string, bool) {
	r.mu.RLock()
	defer r.mu.RUnlock()
	v, ok := r.settings[name]
	return v, ok
}

// CreateRepository makes a repository, or returns the one that has that name, its settings unchanged. The name is not
// checked.
func (r *Registry) CreateRepository(name string, settings RepositorySettings) *Repository {
	repo, _ := r.create(name, settings)
	return repo
}

func (r *Registry) create(name string, settings RepositorySettings) (repo *Repository, created bool) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if repo, ok := r.repos[name]; ok {
		return repo, false
	}
	if settings.CreatedAt.IsZero() {
		settings.CreatedAt = r.now()
	}
	repo = newRepository(r, name, settings)
	r.repos[name] = repo
	return repo, true
}

// DeleteRepository removes a repository with all that is in it, and reports whether it was there.
func (r *Registry) DeleteRepository(name string) bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	_, ok := r.repos[name]
	delete(r.repos, name)
	return ok
}

// Repository returns the repository name, or nil.
func (r *Registry) Repository(name string) *Repository {
	r.mu.RLock()
	defer r.mu.RUnlock()
	return r.repos[name]
}

// Repositories returns all repositories, sorted by name.
func (r *Registry) Repositories() []*Repository {
	r.mu.RLock()
	defer r.mu.RUnlock()
	out := make([]*Repository, 0, len(r.repos))
	for _, repo := range r.repos {
		out = append(out, repo)
	}
	slices.SortFunc(out, func(a, b *Repository) int { return cmp.Compare(a.name, b.name) })
	return out
}

func (r *Registry) now() time.Time { return r.region.opts.Now() }

// arn is the ARN of the repository name.
func (r *Registry) arn(name string) string {
	return "arn:" + partition(r.region.name) + ":ecr:" + r.region.name + ":" + r.account + ":repository/" + name
}

// recordsPulls says whether a pull by the account's caller counts: an excluded principal's does not.
func (r *Registry) recordsPulls() bool {
	r.mu.RLock()
	defer r.mu.RUnlock()
	return !slices.ContainsFunc(r.exclusions, func(e exclusion) bool { return principalOf(r.caller) == e.PrincipalArn })
}

// principalOf turns the ARN of an assumed role's session into that of the role.
func principalOf(arn string) string {
	fields := strings.SplitN(arn, ":", 6)
	if len(fields) != 6 || fields[2] != "sts" || !strings.HasPrefix(fields[5], "assumed-role/") {
		return arn
	}
	role := strings.Split(fields[5], "/")
	return strings.Join([]string{fields[0], fields[1], "iam", "", fields[4], "role/" + role[1]}, ":")
}

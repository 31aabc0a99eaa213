package iamsim

import (
	"crypto/rand"
	"encoding/hex"
	"fmt"
	"net/url"
	"slices"
	"strings"
	"sync"
	"time"
)

// Principal is who an access key belongs to.
type Principal struct {
	Account string   // 12 digits
	ARN     string   // as GetCallerIdentity tells it
	Reads   []string // further accounts whose registries it may read
}

// MayRead reports whether p may read the registries of account.
func (p Principal) MayRead(account string) bool {
	return p.Account == account || slices.Contains(p.Reads, account)
}

// Keys are what signs requests to AWS.
type Keys struct {
	AccessKeyID, SecretAccessKey, SessionToken string
	Expires                                    time.Time // the zero value where they do not end
}

type entry struct {
	Keys
	principal Principal
	ended     bool
}

// Role is what may be assumed.
type Role struct {
	ARN string
	// Trust are ARNs of users and roles, and accounts of 12 digits, that may assume it. The ARN of a role stands for all of
	// its sessions.
	Trust []string
	// ExternalID must be sent where it is not empty.
	ExternalID string
	// Federated is the issuer whose ID tokens it takes, such as accounts.google.com; empty means none. With it, the token
	// must have the Audience and the Subject that are not empty.
	Federated, Audience, Subject string
	// Reads are further accounts whose registries it may read.
	Reads []string
	// MaxSession is the longest session; 0 is an hour.
	MaxSession time.Duration
}

// AWS is the users and roles of all accounts. It is safe for concurrent use.
type AWS struct {
	now    func() time.Time
	google *Google

	mu     sync.Mutex
	keys   map[string]*entry
	roles  map[string]Role
	sso    map[string]ssoSession
	serial int

	// Fallback says whose an access key is that was never given out here, if it is anybody's.
	Fallback func(accessKeyID string) (account, arn string, ok bool)
}

func newAWS(now func() time.Time) *AWS {
	return &AWS{now: now, keys: map[string]*entry{}, roles: map[string]Role{}, sso: map[string]ssoSession{}}
}

// AddUser makes a user of an account and returns its lasting keys.
func (a *AWS) AddUser(account, name string, reads ...string) Keys {
	return a.issue("AKIA", Principal{Account: account, ARN: "arn:aws:iam::" + account + ":user/" + name, Reads: reads}, 0)
}

// AddRole makes a role, or replaces the one with its ARN.
func (a *AWS) AddRole(r Role) {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.roles[r.ARN] = r
}

// Assume returns keys of a session of the role, whoever asks: what a metadata service hands out. They end after life.
func (a *AWS) Assume(roleARN, session string, life time.Duration) (Keys, error) {
	a.mu.Lock()
	r, ok := a.roles[roleARN]
	a.mu.Unlock()
	if !ok {
		return Keys{}, fmt.Errorf("there is no role %s", roleARN)
	}
	return a.issue("ASIA", sessionOf(r, session), life), nil
}

// End makes keys expired at once.
func (a *AWS) End(accessKeyID string) {
	a.mu.Lock()
	defer a.mu.Unlock()
	if e := a.keys[accessKeyID]; e != nil {
		e.ended = true
	}
}

// EndAll makes all temporary keys that were given out until now expired.
func (a *AWS) EndAll() {
	a.mu.Lock()
	defer a.mu.Unlock()
	for _, e := range a.keys {
		e.ended = e.ended || e.SessionToken != ""
	}
}

// Status is what an access key is.
type Status int

// The statuses of an access key.
const (
	Unknown Status = iota // never given out here
	Good
	Wrong   // its session token is missing or another's
	Expired // it has ended
)

// Lookup returns whose an access key is.
func (a *AWS) Lookup(accessKeyID, sessionToken string) (Principal, Status) {
	e, status := a.find(accessKeyID, sessionToken)
	if e == nil {
		return Principal{}, status
	}
	return e.principal, status
}

func (a *AWS) find(accessKeyID, sessionToken string) (*entry, Status) {
	a.mu.Lock()
	defer a.mu.Unlock()
	e := a.keys[accessKeyID]
	switch {
	case e == nil:
		return nil, Unknown
	case e.SessionToken != sessionToken:
		return e, Wrong
	case e.ended, !e.Expires.IsZero() && !a.now().Before(e.Expires):
		return e, Expired
	}
	return e, Good
}

func (a *AWS) issue(prefix string, p Principal, life time.Duration) Keys {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.serial++
	k := Keys{AccessKeyID: fmt.Sprintf("%s%016d", prefix, a.serial), SecretAccessKey: "secret/" + random(20)}
	if prefix == "ASIA" {
		k.SessionToken, k.Expires = "session/"+random(40), a.now().Add(life)
	}
	a.keys[k.AccessKeyID] = &entry{Keys: k, principal: p}
	return k
}

func random(n int) string {
	b := make([]byte, n)
	_, _ = rand.Read(b) // never fails
	return hex.EncodeToString(b)
}

func sessionOf(r Role, name string) Principal {
	f := strings.SplitN(r.ARN, ":", 6)
	path := strings.Split(f[5], "/")
	return Principal{
		Account: f[4], Reads: r.Reads,
		ARN: fmt.Sprintf("%s:%s:sts::%s:assumed-role/%s/%s", f[0], f[1], f[4], path[len(path)-1], name),
	}
}

// roleOf turns the ARN of an assumed role's session into that of the role.
func roleOf(arn string) string {
	f := strings.SplitN(arn, ":", 6)
	if len(f) != 6 || f[2] != "sts" || !strings.HasPrefix(f[5], "assumed-role/") {
		return arn
	}
	return fmt.Sprintf("%s:%s:iam::%s:role/%s", f[0], f[1], f[4], strings.Split(f[5], "/")[1])
}

// trusts reports whether p may assume r, with that external id.
func (r Role) trusts(p Principal, externalID string) bool {
	named := slices.Contains(r.Trust, p.ARN) || slices.Contains(r.Trust, roleOf(p.ARN)) || slices.Contains(r.Trust, p.Account)
	return named && (r.ExternalID == "" || r.ExternalID == externalID)
}

// refusal is an error as STS sends it.
type refusal struct {
	status        int
	code, message string
}

func (e *refusal) Error() string { return e.code + ": " + e.message }

func refusef(status int, code, format string, args ...any) *refusal {
	return &refusal{status, code, fmt.Sprintf(format, args...)}
}

// session makes keys from a request's form, whose role was found to be allowed.
func (a *AWS) session(r Role, form url.Values) (Keys, Principal, error) {
	name := form.Get("RoleSessionName")
	if len(name) < 2 || len(name) > 64 {
		return Keys{}, Principal{}, refusef(400, "ValidationError", "1 validation error detected: Value '%s' at 'roleSessionName' failed to satisfy constraint", name)
	}
	life := time.Hour
	if v := form.Get("DurationSeconds"); v != "" {
		d, err := time.ParseDuration(v + "s")
		if err != nil || d < 15*time.Minute {
			return Keys{}, Principal{}, refusef(400, "ValidationError", "Value '%s' at 'durationSeconds' failed to satisfy constraint", v)
		}
		life = d
	}
	if most := max(r.MaxSession, time.Hour); life > most {
		return Keys{}, Principal{}, refusef(400, "ValidationError", "The requested DurationSeconds exceeds the MaxSessionDuration set for this role.")
	}
	p := sessionOf(r, name)
	return a.issue("ASIA", p, life), p, nil
}

func (a *AWS) role(arn string) (Role, bool) {
	a.mu.Lock()
	defer a.mu.Unlock()
	r, ok := a.roles[arn]
	return r, ok
}

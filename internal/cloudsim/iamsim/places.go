package iamsim

import (
	"encoding/json"
	"net/http"
	"strings"
	"time"
)

// ssoSession is what a token of "aws sso login" opens.
type ssoSession struct {
	role    string
	expires time.Time
}

// AddSSO makes token, as "aws sso login" would have cached it, good for keys of the role for life.
func (a *AWS) AddSSO(token, roleARN string, life time.Duration) {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.sso[token] = ssoSession{roleARN, a.now().Add(life)}
}

// SSO is the portal of IAM Identity Center, portal.sso.REGION.amazonaws.com: it gives keys for a session's token.
type SSO struct{ AWS *AWS }

// Kind says sso.
func (SSO) Kind(*http.Request) string { return "sso" }

func (s SSO) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if r.URL.Path != "/federation/credentials" {
		http.NotFound(w, r)
		return
	}
	s.AWS.mu.Lock()
	session, ok := s.AWS.sso[r.Header.Get("X-Amz-Sso_bearer_token")]
	s.AWS.mu.Unlock()
	if !ok || !s.AWS.now().Before(session.expires) {
		w.Header().Set("X-Amzn-Errortype", "UnauthorizedException")
		answerJSON(w, http.StatusUnauthorized, map[string]string{"message": "Session token not found or invalid"})
		return
	}
	k, err := s.AWS.Assume(session.role, "sso", time.Hour)
	if err != nil {
		w.Header().Set("X-Amzn-Errortype", "ResourceNotFoundException")
		answerJSON(w, http.StatusNotFound, map[string]string{"message": err.Error()})
		return
	}
	answerJSON(w, http.StatusOK, map[string]any{"roleCredentials": map[string]any{
		"accessKeyId": k.AccessKeyID, "secretAccessKey": k.SecretAccessKey, "sessionToken": k.SessionToken, "expiration": k.Expires.UnixMilli(),
	}})
}

// Container is the metadata service of an ECS task or, with a token, of EKS Pod Identity: what
// AWS_CONTAINER_CREDENTIALS_FULL_URI points to. It hands out keys of RoleARN that end after Life.
type Container struct {
	AWS     *AWS
	RoleARN string
	Life    time.Duration // 0 is an hour
	Token   string        // must be the Authorization header, where it is not empty
}

func (c Container) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if c.Token != "" && r.Header.Get("Authorization") != c.Token {
		answerJSON(w, http.StatusUnauthorized, map[string]string{"code": "AccessDenied", "message": "no or another token"})
		return
	}
	k, err := c.AWS.Assume(c.RoleARN, "container", lifeOf(c.Life))
	if err != nil {
		answerJSON(w, http.StatusBadRequest, map[string]string{"code": "InvalidParameter", "message": err.Error()})
		return
	}
	answerJSON(w, http.StatusOK, map[string]string{
		"AccessKeyId": k.AccessKeyID, "SecretAccessKey": k.SecretAccessKey, "Token": k.SessionToken,
		"Expiration": k.Expires.UTC().Format(time.RFC3339), "RoleArn": c.RoleARN,
	})
}

func lifeOf(d time.Duration) time.Duration {
	if d == 0 {
		return time.Hour
	}
	return d
}

// Instance is the metadata service of EC2, version 2, which AWS_EC2_METADATA_SERVICE_ENDPOINT points to.
type Instance struct {
	AWS     *AWS
	RoleARN string
	Region  string
	Life    time.Duration // 0 is an hour
}

func (i Instance) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	const token = "imds-token"
	const roles = "/latest/meta-data/iam/security-credentials/"
	switch path := r.URL.Path; {
	case r.Method == http.MethodPut && path == "/latest/api/token":
		w.Header().Set("X-Aws-Ec2-Metadata-Token-Ttl-Seconds", "21600")
		_, _ = w.Write([]byte(token))
	case r.Header.Get("X-Aws-Ec2-Metadata-Token") != token:
		http.Error(w, "Unauthorized", http.StatusUnauthorized)
	case path == "/latest/dynamic/instance-identity/document":
		answerJSON(w, http.StatusOK, map[string]string{"region": i.Region, "accountId": strings.Split(i.RoleARN, ":")[4]})
	case path == "/latest/meta-data/placement/region":
		_, _ = w.Write([]byte(i.Region))
	case path == "/latest/meta-data/placement/availability-zone":
		_, _ = w.Write([]byte(i.Region + "a"))
	case path == roles:
		_, _ = w.Write([]byte("embedded"))
	case path == roles+"embedded":
		k, err := i.AWS.Assume(i.RoleARN, "i-0embedded", lifeOf(i.Life))
		if err != nil {
			http.Error(w, err.Error(), http.StatusNotFound)
			return
		}
		answerJSON(w, http.StatusOK, map[string]string{
			"Code": "Success", "Type": "AWS-HMAC", "AccessKeyId": k.AccessKeyID, "SecretAccessKey": k.SecretAccessKey, "Token": k.SessionToken,
			"Expiration": k.Expires.UTC().Format(time.RFC3339), "LastUpdated": i.AWS.now().UTC().Format(time.RFC3339),
		})
	default:
		http.NotFound(w, r)
	}
}

func answerJSON(w http.ResponseWriter, status int, v any) {
	body, err := json.Marshal(v)
	if err != nil {
		http.Error(w, err.Error(), http.StatusInternalServerError)
		return
	}
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	_, _ = w.Write(body)
}

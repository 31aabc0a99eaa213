package gar

import (
	"cmp"
	"context"
	"encoding/json"
	"io"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"time"
)

// The kinds of credentials that Whose tells apart.
const (
	KindToken        = "access token"               // of EnvToken
	KindUser         = "user"                       // gcloud auth application-default login
	KindServiceKey   = "service account key"        //
	KindExternal     = "workload identity"          // federation
	KindImpersonated = "impersonated"               // a service account
	KindMachine      = "metadata server or another" // GCE, GKE, Cloud Run; or the docker configuration
)

// Owner says whose credentials they are, as far as that can be told.
type Owner struct {
	Kind         string
	From         string // the variable or the file that they are from; may be empty
	Name         string // e-mail address or audience; may be empty
	QuotaProject string // that the file names; may be empty
	Project      string // that the file or the environment names; may be empty
}

// Whose looks at the variables and files that say which Google credentials are used, in the order in which they are
// looked for. It makes no request, and reads no secret out of the files.
func Whose(getenv func(string) string) Owner {
	o := Owner{QuotaProject: getenv("GOOGLE_CLOUD_QUOTA_PROJECT"), Project: getenv("GOOGLE_CLOUD_PROJECT")}
	if strings.TrimSpace(getenv(EnvToken)) != "" {
		o.Kind, o.From = KindToken, EnvToken
		return o
	}
	path := getenv("GOOGLE_APPLICATION_CREDENTIALS")
	if path == "" {
		path = filepath.Join(GcloudDir(getenv), "application_default_credentials.json")
	}
	var file struct {
		Type             string `json:"type"`
		ClientEmail      string `json:"client_email"`
		ProjectID        string `json:"project_id"`
		QuotaProjectID   string `json:"quota_project_id"`
		Account          string `json:"account"`
		Audience         string `json:"audience"`
		ImpersonationURL string `json:"service_account_impersonation_url"`
	}
	b, err := os.ReadFile(path)
	if err != nil || json.Unmarshal(b, &file) != nil {
		o.Kind = KindMachine
		return o
	}
	o.From = path
	o.QuotaProject = cmp.Or(o.QuotaProject, file.QuotaProjectID)
	o.Project = cmp.Or(o.Project, file.ProjectID, file.QuotaProjectID)
	switch file.Type {
	case "authorized_user", "external_account_authorized_user":
		o.Kind, o.Name = KindUser, file.Account
	case "service_account":
		o.Kind, o.Name = KindServiceKey, file.ClientEmail
	case "external_account":
		o.Kind, o.Name = KindExternal, cmp.Or(accountIn(file.ImpersonationURL), file.Audience)
	case "impersonated_service_account":
		o.Kind, o.Name = KindImpersonated, accountIn(file.ImpersonationURL)
	default:
		o.Kind = KindMachine
	}
	return o
}

// GcloudDir is where gcloud keeps its configuration.
func GcloudDir(getenv func(string) string) string {
	switch {
	case getenv("CLOUDSDK_CONFIG") != "":
		return getenv("CLOUDSDK_CONFIG")
	case runtime.GOOS == "windows":
		return filepath.Join(getenv("APPDATA"), "gcloud")
	}
	return filepath.Join(getenv("HOME"), ".config", "gcloud")
}

// accountIn is the e-mail address in …/serviceAccounts/EMAIL:generateAccessToken.
func accountIn(address string) string {
	_, rest, ok := strings.Cut(address, "/serviceAccounts/")
	if !ok {
		return ""
	}
	email, _, _ := strings.Cut(rest, ":")
	return email
}

// tokenInfo is where Google says whose an access token is.
const tokenInfo = "https://oauth2.googleapis.com/tokeninfo"

// Email asks Google whose access token the one for host is: 1 request. It is empty where Google does not tell.
func (p *Probe) Email(ctx context.Context, host string) string {
	ctx, cancel := context.WithTimeout(ctx, 5*time.Second)
	defer cancel()
	s, err := p.cloud.keys.Host(ctx, host)
	if err != nil || s.dataOnly {
		return ""
	}
	t, err := s.token(ctx)
	if err != nil {
		return ""
	}
	form := url.Values{"access_token": {t.secret.Reveal()}}.Encode()
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, tokenInfo, strings.NewReader(form))
	if err != nil {
		return ""
	}
	req.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	res, err := p.client.Do(req)
	if err != nil {
		return ""
	}
	defer res.Body.Close()
	var body struct {
		Email string `json:"email"`
	}
	if res.StatusCode != http.StatusOK || json.NewDecoder(io.LimitReader(res.Body, 1<<16)).Decode(&body) != nil {
		return ""
	}
	return body.Email
}

// Project is the project that the environment, the credentials or gcloud's active configuration name; empty where none
// does.
func Project(getenv func(string) string) string {
	return cmp.Or(getenv("GOOGLE_CLOUD_PROJECT"), getenv("CLOUDSDK_CORE_PROJECT"), gcloudProject(getenv), Whose(getenv).Project)
}

// gcloudProject reads [core] project of gcloud's active configuration.
func gcloudProject(getenv func(string) string) string {
	dir := GcloudDir(getenv)
	active := getenv("CLOUDSDK_ACTIVE_CONFIG_NAME")
	if b, err := os.ReadFile(filepath.Join(dir, "active_config")); active == "" && err == nil {
		active = strings.TrimSpace(string(b))
	}
	b, err := os.ReadFile(filepath.Join(dir, "configurations", "config_"+filepath.Base(cmp.Or(active, "default"))))
	if err != nil {
		return ""
	}
	section := ""
	for line := range strings.Lines(string(b)) {
		line = strings.TrimSpace(line)
		if strings.HasPrefix(line, "[") {
			section = line
		}
		if name, value, ok := strings.Cut(line, "="); ok && section == "[core]" && strings.TrimSpace(name) == "project" {
			return strings.TrimSpace(value)
		}
	}
	return ""
}

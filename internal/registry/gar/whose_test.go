package gar

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestWhose(t *testing.T) {
	dir := t.TempDir()
	for name, c := range map[string]struct {
		file string
		env  map[string]string
		want Owner
	}{
		"nothing":  {want: Owner{Kind: KindMachine}},
		"token":    {env: map[string]string{EnvToken: "x", "GOOGLE_CLOUD_PROJECT": "p"}, want: Owner{Kind: KindToken, From: EnvToken, Project: "p"}},
		"user":     {file: `{"type":"authorized_user","quota_project_id":"q"}`, want: Owner{Kind: KindUser, QuotaProject: "q", Project: "q"}},
		"key":      {file: `{"type":"service_account","client_email":"a@b","project_id":"p"}`, want: Owner{Kind: KindServiceKey, Name: "a@b", Project: "p"}},
		"external": {file: `{"type":"external_account","audience":"//iam"}`, want: Owner{Kind: KindExternal, Name: "//iam"}},
		"acting": {file: `{"type":"impersonated_service_account","service_account_impersonation_url":"https://x/v1/projects/-/serviceAccounts/a@b:generateAccessToken"}`,
			want: Owner{Kind: KindImpersonated, Name: "a@b"}},
		"not JSON": {file: `x`, want: Owner{Kind: KindMachine}},
	} {
		t.Run(name, func(t *testing.T) {
			env := map[string]string{"HOME": dir}
			for k, v := range c.env {
				env[k] = v
			}
			if c.file != "" {
				path := filepath.Join(t.TempDir(), "adc.json")
				if err := os.WriteFile(path, []byte(c.file), 0o600); err != nil {
					t.Fatal(err)
				}
				env["GOOGLE_APPLICATION_CREDENTIALS"] = path
				if c.want.Kind != KindMachine {
					c.want.From = path
				}
			}
			if diff := cmp.Diff(c.want, Whose(func(name string) string { return env[name] })); diff != "" {
				t.Error(diff)
			}
		})
	}
}

func TestProject(t *testing.T) {
	dir := t.TempDir()
	env := map[string]string{"CLOUDSDK_CONFIG": dir}
	getenv := func(name string) string { return env[name] }
	if got := Project(getenv); got != "" {
		t.Errorf("got %q of nothing", got)
	}
	for path, text := range map[string]string{
		"active_config": "work\n", "configurations/config_work": "[compute]\nproject = no\n[core]\naccount = a@b\nproject = from-gcloud\n",
	} {
		path = filepath.Join(dir, filepath.FromSlash(path))
		if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	if got := Project(getenv); got != "from-gcloud" {
		t.Errorf("got %q", got)
	}
	env["GOOGLE_CLOUD_PROJECT"] = "from-environment"
	if got := Project(getenv); got != "from-environment" {
		t.Errorf("got %q", got)
	}
}

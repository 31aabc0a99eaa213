package clouds_test

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"transship/internal/clouds"
	"transship/internal/cloudsim"
	"transship/internal/cloudsim/arsim"
	"transship/internal/cloudsim/ecrsim"
	"transship/internal/cloudsim/iamsim"
	"transship/internal/ref"
	"transship/internal/registry"
)

const (
	account = "123456789012"
	region  = "us-east-1"
	robot   = "robot@my-project.iam.gserviceaccount.com"
	pool    = "//iam.googleapis.com/projects/1/locations/global/workloadIdentityPools/p/providers/aws"
	task    = "arn:aws:iam::210987654321:role/task"
	reader  = "arn:aws:iam::123456789012:role/reader"
)

var apps = ref.TargetRepository{Location: "us", Project: "my-project", ID: "app-images"}

// world is a pair of embedded clouds and a machine that has no credentials.
func world(t *testing.T) (*cloudsim.Sim, clouds.Options) {
	t.Helper()
	for _, v := range os.Environ() {
		if name, _, _ := strings.Cut(v, "="); strings.HasPrefix(name, "AWS_") || strings.HasPrefix(name, "GOOGLE_") {
			t.Setenv(name, "")
			if err := os.Unsetenv(name); err != nil {
				t.Fatal(err)
			}
		}
	}
	home := t.TempDir()
	t.Setenv("HOME", home)
	t.Setenv("AWS_EC2_METADATA_DISABLED", "true")
	t.Setenv("GOOGLE_APPLICATION_CREDENTIALS", filepath.Join(home, "adc.json"))
	sim := cloudsim.New(cloudsim.Options{})
	if _, err := sim.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := sim.Close(); err != nil {
			t.Error(err)
		}
	})
	reg := sim.ECR(account, region)
	reg.SetAccessKeys("AKIAOTHER")
	reg.CreateRepository("app", ecrsim.RepositorySettings{})
	if err := sim.AR().CreateRepository(apps.Location, apps.Project, apps.ID, arsim.Repository{}); err != nil {
		t.Fatal(err)
	}
	return sim, clouds.Options{Transport: sim.Transport(), Getenv: os.Getenv}
}

func application(t *testing.T, v any) {
	t.Helper()
	b, err := json.Marshal(v)
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(os.Getenv("GOOGLE_APPLICATION_CREDENTIALS"), b, 0o600); err != nil {
		t.Fatal(err)
	}
}

func repositories(t *testing.T, o clouds.Options) (n int, failure error) {
	t.Helper()
	s, err := clouds.OpenSource(t.Context(), ref.Registry{Account: account, Region: region}, ref.HostForm{}, o)
	if err != nil {
		return 0, err
	}
	for _, err := range s.Repositories(t.Context()) {
		if err != nil {
			return n, err
		}
		n++
	}
	return n, nil
}

// TestFargateToGoogle: an ECS task assumes a role in the source account, and its own identity is Google's too, by
// workload identity federation. Nobody has a key.
func TestFargateToGoogle(t *testing.T) {
	sim, o := world(t)
	aws, google := sim.AWS(), sim.Google()
	aws.AddRole(iamsim.Role{ARN: task})
	aws.AddRole(iamsim.Role{ARN: reader, Trust: []string{task}, ExternalID: "x"})
	container := httptest.NewServer(iamsim.Container{AWS: aws, RoleARN: task})
	defer container.Close()
	t.Setenv("AWS_CONTAINER_CREDENTIALS_FULL_URI", container.URL+"/creds")
	google.AddPool(iamsim.Pool{Audience: pool, Account: "210987654321"})
	application(t, map[string]any{
		"type": "external_account", "audience": pool, "subject_token_type": "urn:ietf:params:aws:token-type:aws4_request", "token_url": "https://sts.googleapis.com/v1/token",
		"credential_source": map[string]string{"environment_id": "aws1", "regional_cred_verification_url": "https://sts.{region}.amazonaws.com?Action=GetCallerIdentity&Version=2011-06-15"},
	})
	o.Source = clouds.SourceOptions{RoleARN: reader, ExternalID: "x"}
	if n, err := repositories(t, o); n != 1 || err != nil {
		t.Errorf("%d repositories: %v", n, err)
	}
	target, err := clouds.OpenTarget(t.Context(), o)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := target.Repository(t.Context(), apps); err != nil {
		t.Error(err)
	}
	image := ref.TargetImage{Repository: apps, Path: "app"}
	if _, err := target.HeadManifest(t.Context(), image, "v1"); !registry.IsClass(err, registry.NotFound) {
		t.Errorf("the data plane: %v", err)
	}
	if who := target.Identity(); !strings.Contains(who, "external_account") {
		t.Errorf("it says %q", who)
	}
}

// TestGoogleToAWS: a user of Google's acts as a service account, on both sides. Nobody has a key of AWS.
func TestGoogleToAWS(t *testing.T) {
	sim, o := world(t)
	sim.Google().AddServiceAccount(iamsim.ServiceAccount{Email: robot})
	sim.AWS().AddRole(iamsim.Role{ARN: reader, Federated: "accounts.google.com", Audience: "sts.amazonaws.com", Subject: iamsim.Subject(robot)})
	application(t, map[string]string{"type": "authorized_user", "client_id": "i", "client_secret": "s", "refresh_token": "r"})
	o.Target.Impersonate = robot
	o.Source = clouds.SourceOptions{RoleARN: reader, WebIdentity: clouds.WebIdentityGoogle, WebIdentityAudience: "sts.amazonaws.com"}
	if n, err := repositories(t, o); n != 1 || err != nil {
		t.Errorf("%d repositories: %v", n, err)
	}
	o.Source.WebIdentity = "" // AWS has nothing, so it comes to the same
	if n, err := repositories(t, o); n != 1 || err != nil {
		t.Errorf("%d repositories: %v", n, err)
	}
	target, err := clouds.OpenTarget(t.Context(), o)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := target.Repository(t.Context(), apps); err != nil {
		t.Error(err)
	}
}

// TestDockerLoginAlone: there is nothing but what "docker login" left.
func TestDockerLoginAlone(t *testing.T) {
	sim, o := world(t)
	token := sim.AR().IssueToken(1 << 40)
	t.Setenv("GOOGLE_APPLICATION_CREDENTIALS", "")
	if testing.Short() {
		t.Skip("it looks for a metadata server")
	}
	folder := t.TempDir()
	t.Setenv("DOCKER_CONFIG", folder)
	text := fmt.Sprintf(`{"auths":{"us-docker.pkg.dev":{"username":"oauth2accesstoken","password":%q}}}`, token)
	if err := os.WriteFile(filepath.Join(folder, "config.json"), []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	o.Target.Hosts = []string{"us-docker.pkg.dev"}
	target, err := clouds.OpenTarget(t.Context(), o)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := target.Repository(t.Context(), apps); err != nil {
		t.Error(err)
	}
	o.Target.Hosts = []string{"europe-docker.pkg.dev"}
	if _, err := clouds.OpenTarget(context.WithoutCancel(t.Context()), o); !registry.IsClass(err, registry.Unauthorized) || !strings.Contains(err.Error(), "europe-docker.pkg.dev") {
		t.Errorf("got %v", err)
	}
}

// TestThreeRoles: one of them cannot be assumed; the others can.
func TestThreeRoles(t *testing.T) {
	sim, o := world(t)
	k := sim.AWS().AddUser("210987654321", "ci")
	o.AWSKey = [2]string{k.AccessKeyID, k.SecretAccessKey}
	for name, trust := range map[string][]string{"a": {"210987654321"}, "b": nil, "c": {"arn:aws:iam::210987654321:user/ci"}} {
		o.Source.RoleARN = "arn:aws:iam::123456789012:role/" + name
		sim.AWS().AddRole(iamsim.Role{ARN: o.Source.RoleARN, Trust: trust})
		n, err := repositories(t, o)
		if trust == nil {
			if !registry.IsClass(err, registry.Denied) || !strings.Contains(err.Error(), o.Source.RoleARN) || !strings.Contains(err.Error(), "trust policy") {
				t.Errorf("%s: %v", name, err)
			}
		} else if n != 1 || err != nil {
			t.Errorf("%s: %d repositories: %v", name, n, err)
		}
	}
}

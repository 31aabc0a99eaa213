package doctor_test

import (
	"io"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/opencontainers/go-digest"

	"transship/internal/cloudsim"
	"transship/internal/cloudsim/arsim"
	"transship/internal/cloudsim/corpus"
	"transship/internal/cloudsim/sqssim"
	"transship/internal/cloudstest"
	"transship/internal/doctor"
	"transship/internal/events"
	"transship/internal/ref"
	"transship/internal/workspace"
)

// set is one set-up: how the clouds and the machine are.
type set struct {
	sim     cloudsim.Options
	spoil   func(t *testing.T, w *cloudstest.World, o *doctor.Options)
	side    string
	check   string        // whose answer is looked at
	status  doctor.Status // of it
	detail  string        // is in its detail
	remedy  string        // is in one of its remedies
	others  int           // how many checks besides fail
	healthy bool          // nothing fails
}

const role = "arn:aws:iam::" + cloudstest.Account + ":role/migration-reader"

// expired lets STS say that the credentials are over.
func expired(_ *testing.T, w *cloudstest.World, _ *doctor.Options) {
	w.Sim.Faults.Set(cloudsim.Fault{Kind: "sts", Action: func(rw http.ResponseWriter, _ *http.Request, _ http.Handler) {
		rw.WriteHeader(http.StatusForbidden)
		_, _ = io.WriteString(rw, `<ErrorResponse xmlns="https://sts.amazonaws.com/doc/2011-06-15/"><Error><Type>Sender</Type>`+
			`<Code>ExpiredToken</Code><Message>The security token included in the request is expired</Message></Error></ErrorResponse>`)
	}})
}

func denyAWS(operations ...string) func(*testing.T, *cloudstest.World, *doctor.Options) {
	return func(_ *testing.T, w *cloudstest.World, _ *doctor.Options) { w.ECR.Deny(operations...) }
}

func denyGoogle(permissions ...string) cloudsim.Options {
	return cloudsim.Options{AR: arsim.Options{Deny: func(_, p string) bool {
		return slices.Contains(permissions, strings.TrimPrefix(p, "artifactregistry."))
	}}}
}

func elsewhere(r ref.Registry) func(*testing.T, *cloudstest.World, *doctor.Options) {
	return func(_ *testing.T, _ *cloudstest.World, o *doctor.Options) { o.Sources = []doctor.Source{{Registry: r}} }
}

func skewed(d time.Duration) func(*testing.T, *cloudstest.World, *doctor.Options) {
	return func(_ *testing.T, _ *cloudstest.World, o *doctor.Options) {
		o.Now = func() time.Time { return time.Now().Add(d) }
	}
}

func goal(id string) func(*testing.T, *cloudstest.World, *doctor.Options) {
	return func(_ *testing.T, _ *cloudstest.World, o *doctor.Options) {
		o.Targets = []ref.TargetRepository{{Location: "us", Project: "my-gcp-project", ID: id}}
	}
}

func awsSets() map[string]set {
	source := doctor.SideSource
	return map[string]set{
		"no AWS credentials": {spoil: func(t *testing.T, _ *cloudstest.World, o *doctor.Options) {
			empty := filepath.Join(t.TempDir(), "none")
			for name, value := range map[string]string{"AWS_ACCESS_KEY_ID": "", "AWS_SECRET_ACCESS_KEY": "", "AWS_EC2_METADATA_DISABLED": "true",
				"AWS_CONFIG_FILE": empty, "AWS_SHARED_CREDENTIALS_FILE": empty, "AWS_PROFILE": "", "AWS_CONTAINER_CREDENTIALS_FULL_URI": ""} {
				t.Setenv(name, value)
			}
			o.Clouds.AWSKey = [2]string{}
		}, side: source, check: "credentials", status: doctor.Fail, detail: "no AWS credentials", remedy: "aws sso login"},
		"expired AWS token": {spoil: expired,
			side: source, check: "credentials", status: doctor.Fail, detail: "ExpiredToken", remedy: "aws sso login"},
		"BatchGetImage is denied": {spoil: denyAWS("BatchGetImage"),
			side: source, check: "ecr:BatchGetImage", status: doctor.Fail, detail: "denied", remedy: `"Action":"ecr:BatchGetImage","Resource":"arn:aws:ecr:us-east-1:123456789012:repository/*"`},
		"DescribeImages is denied": {spoil: denyAWS("DescribeImages"),
			side: source, check: "ecr:DescribeImages", status: doctor.Fail, detail: "denied", remedy: `"Action":"ecr:DescribeImages"`},
		"DescribeRepositories is denied": {spoil: denyAWS("DescribeRepositories"),
			side: source, check: "ecr:DescribeRepositories", status: doctor.Fail, detail: "denied", remedy: `"Action":"ecr:DescribeRepositories"`},
		"layers are denied": {spoil: denyAWS("GetDownloadUrlForLayer"),
			side: source, check: "ecr:GetDownloadUrlForLayer", status: doctor.Fail, detail: "denied", remedy: `"Action":"ecr:GetDownloadUrlForLayer"`},
		"the token is denied": {spoil: denyAWS("GetAuthorizationToken"),
			side: source, check: "ecr:GetAuthorizationToken", status: doctor.Fail, detail: "denied", remedy: `"Resource":"*"`},
		"an optional permission is denied": {spoil: denyAWS("GetLifecyclePolicy"),
			side: source, check: "ecr:GetLifecyclePolicy", status: doctor.Warn, detail: "denied", remedy: "GetLifecyclePolicy", healthy: true},
		"a region without ECR": {spoil: elsewhere(ref.Registry{Account: cloudstest.Account, Region: "us-west-9"}),
			side: source, check: "network", status: doctor.Fail, detail: "does not resolve", remedy: "AWS has no ECR in us-west-9"},
		"the registry's host does not resolve": {spoil: elsewhere(ref.Registry{Account: "999999999999", Region: cloudstest.Region}),
			side: source, check: "network", status: doctor.Fail, detail: "999999999999.dkr.ecr.us-east-1.amazonaws.com does not resolve", remedy: "DNS"},
		"the role cannot be assumed": {spoil: func(_ *testing.T, w *cloudstest.World, o *doctor.Options) {
			o.Sources[0].As.RoleARN = role
		}, side: source, check: "credentials", status: doctor.Fail, detail: "cannot assume the role " + role, remedy: "sts:AssumeRole"},
		"the pull-time exclusion is missing": {spoil: func(*testing.T, *cloudstest.World, *doctor.Options) {},
			side: source, check: "pull times", status: doctor.Warn, detail: "records the migration's pulls", healthy: true,
			remedy: "aws ecr register-pull-time-update-exclusion --principal-arn arn:aws:iam::123456789012:user/migrator --region us-east-1"},
		"the data plane refuses the token": {spoil: func(_ *testing.T, w *cloudstest.World, _ *doctor.Options) {
			w.Sim.Faults.Set(cloudsim.Fault{Kind: "ecr.v2.base.get", Action: cloudsim.Status(http.StatusUnauthorized)})
		}, side: source, check: "data plane", status: doctor.Fail, detail: "401", remedy: "Authorization"},
	}
}

// queued has the sync take events from a queue of which SQS denies operations.
func queued(queue sqssim.QueueOptions, denied ...string) func(*testing.T, *cloudstest.World, *doctor.Options) {
	return func(t *testing.T, w *cloudstest.World, o *doctor.Options) {
		sqs := w.Sim.SQS(cloudstest.Region)
		for _, operation := range denied {
			sqs.Deny(operation)
		}
		if queue.MaxReceives > 0 {
			queue.DeadLetters = sqs.CreateQueue(cloudstest.Account, "parked", sqssim.QueueOptions{})
		}
		address, err := events.ParseAddress(sqs.CreateQueue(cloudstest.Account, "events", queue).URL())
		if err != nil {
			t.Fatal(err)
		}
		o.Queues = []events.Address{address}
	}
}

// syncSets are set-ups in which a sync takes events and follows deletions.
func syncSets() map[string]set {
	source, check := doctor.SideSource, "queue events"
	follow := func(_ *testing.T, _ *cloudstest.World, o *doctor.Options) { o.DeleteTags = true }
	return map[string]set{
		"a queue": {spoil: queued(sqssim.QueueOptions{MaxReceives: 5}), side: source, check: check, status: doctor.Pass, detail: "sqs:DeleteMessage", healthy: true},
		"a queue without a dead-letter queue": {spoil: queued(sqssim.QueueOptions{}), side: source, check: check, status: doctor.Warn,
			detail: "no dead-letter queue", remedy: "transship generate events", healthy: true},
		"a queue that is denied": {spoil: queued(sqssim.QueueOptions{}, "GetQueueAttributes"), side: source, check: check, status: doctor.Fail,
			remedy: "sqs:GetQueueAttributes is missing"},
		"taking tags away is denied": {sim: denyGoogle("tags.delete"), spoil: follow,
			side: doctor.SideTarget, check: "artifactregistry.tags.delete", status: doctor.Fail, detail: "delete-tags", remedy: "generate permissions"},
		"taking tags away is allowed": {spoil: follow,
			side: doctor.SideTarget, check: "artifactregistry.tags.delete", status: doctor.Pass, detail: "allowed", healthy: true},
	}
}

func googleSets() map[string]set {
	target := doctor.SideTarget
	return map[string]set{
		"the API is disabled": {sim: cloudsim.Options{AR: arsim.Options{APIDisabled: func(string) bool { return true }}}, spoil: goal("app-images"),
			side: target, check: "API", status: doctor.Fail, detail: "not enabled", remedy: "gcloud services enable artifactregistry.googleapis.com --project=my-gcp-project"},
		"a missing repository": {spoil: goal("other"),
			side: target, check: "repository other", status: doctor.Warn, detail: "does not exist yet; the caller may create it", remedy: "transship provision", healthy: true},
		"a missing repository that nobody may create": {sim: denyGoogle("repositories.create"), spoil: goal("other"),
			side: target, check: "repository other", status: doctor.Fail, detail: "repositories.create", remedy: "gcloud artifacts repositories create other --repository-format=docker --location=us --project=my-gcp-project"},
		"a missing repository that Google hides": {sim: cloudsim.Options{AR: arsim.Options{HideMissing: true}}, spoil: goal("other"),
			side: target, check: "repository other", status: doctor.Warn, detail: "does not exist yet", remedy: "transship provision", healthy: true},
		"a repository that the caller may not see": {sim: denyGoogle("repositories.get"), spoil: goal("app-images"), others: 1,
			side: target, check: "repository app-images", status: doctor.Fail, detail: "may not see it", remedy: "--role=roles/artifactregistry.writer"},
		"no permission to write": {sim: denyGoogle("repositories.uploadArtifacts"), spoil: goal("app-images"),
			side: target, check: "artifactregistry.repositories.uploadArtifacts", status: doctor.Fail, detail: "denied on app-images",
			remedy: "gcloud artifacts repositories add-iam-policy-binding app-images --location=us --project=my-gcp-project --member=MEMBER --role=roles/artifactregistry.writer"},
		"no permission to change settings": {sim: denyGoogle("repositories.update"), spoil: goal("app-images"),
			side: target, check: "artifactregistry.repositories.update", status: doctor.Warn, detail: "denied on app-images", remedy: "roles/artifactregistry.admin", healthy: true},
		"no permission to read": {sim: denyGoogle("repositories.downloadArtifacts"), spoil: goal("app-images"),
			side: target, check: "artifactregistry.repositories.downloadArtifacts", status: doctor.Fail, detail: "denied on app-images", remedy: "roles/artifactregistry.reader"},
		"a bad Google token": {spoil: func(_ *testing.T, w *cloudstest.World, _ *doctor.Options) { w.AR.Revoke(cloudstest.Token) }, others: 1,
			side: target, check: "data plane", status: doctor.Fail, detail: "refuses the token", remedy: "gcloud auth print-access-token"},
		"no Google credentials": {spoil: func(t *testing.T, _ *cloudstest.World, o *doctor.Options) {
			t.Setenv("GOOGLE_APPLICATION_CREDENTIALS", filepath.Join(t.TempDir(), "missing.json"))
			o.Clouds.Getenv = func(string) string { return "" }
		}, side: target, check: "credentials", status: doctor.Fail, detail: "missing.json", remedy: "gcloud auth application-default login"},
		"a repository of another format": {spoil: func(t *testing.T, w *cloudstest.World, o *doctor.Options) {
			if err := w.AR.CreateRepository("us", "my-gcp-project", "wheels", arsim.Repository{Format: "PYTHON"}); err != nil {
				t.Fatal(err)
			}
			goal("wheels")(t, w, o)
		}, side: target, check: "repository wheels", status: doctor.Fail, detail: "PYTHON", remedy: "--to"},
		"user credentials without a quota project": {spoil: func(t *testing.T, w *cloudstest.World, o *doctor.Options) {
			path := filepath.Join(t.TempDir(), "adc.json")
			if err := os.WriteFile(path, []byte(`{"type":"authorized_user","client_id":"c","client_secret":"s","refresh_token":"r"}`), 0o600); err != nil {
				t.Fatal(err)
			}
			t.Setenv("GOOGLE_APPLICATION_CREDENTIALS", path)
			o.Getenv = os.Getenv
			o.Clouds.Getenv = func(string) string { return "" }
		}, side: target, check: "quota project", status: doctor.Warn, detail: "name none", remedy: "gcloud auth application-default set-quota-project my-gcp-project", healthy: true},
	}
}

func machineSets() map[string]set {
	return map[string]set{
		"healthy": {spoil: goal("app-images"), side: doctor.SideTarget, check: "repository app-images", status: doctor.Pass, detail: "DOCKER", healthy: true},
		"the clock is ahead": {spoil: skewed(6 * time.Minute), others: 1,
			side: doctor.SideSource, check: "clock", status: doctor.Fail, detail: "ahead of", remedy: "set-ntp"},
		"the clock is a little behind": {spoil: skewed(-3 * time.Minute), healthy: true,
			side: doctor.SideTarget, check: "clock", status: doctor.Warn, detail: "behind", remedy: "set-ntp"},
		"an untrusted authority": {spoil: func(_ *testing.T, w *cloudstest.World, o *doctor.Options) {
			tr := w.Sim.Transport()
			tr.TLSClientConfig.RootCAs = cloudsim.New(cloudsim.Options{}).CertPool()
			o.Clouds.Transport = tr
		}, others: 1, side: doctor.SideSource, check: "network", status: doctor.Fail, detail: "Transship embedded clouds CA", remedy: "SSL_CERT_FILE=/path/to/ca.pem AWS_CA_BUNDLE="},
		"a read-only workspace": {spoil: func(t *testing.T, _ *cloudstest.World, o *doctor.Options) {
			o.Workspace = readOnly(t)
		}, side: doctor.SideLocal, check: "workspace", status: doctor.Fail, detail: "cannot be written", remedy: "-w"},
		"a file in the workspace's place": {spoil: func(t *testing.T, _ *cloudstest.World, o *doctor.Options) {
			o.Workspace = filepath.Join(t.TempDir(), "file")
			if err := os.WriteFile(o.Workspace, nil, 0o600); err != nil {
				t.Fatal(err)
			}
		}, side: doctor.SideLocal, check: "workspace", status: doctor.Fail, detail: "is a file", remedy: "-w"},
		"a workspace in use": {spoil: func(t *testing.T, _ *cloudstest.World, o *doctor.Options) {
			w, err := workspace.Open(o.Workspace)
			if err != nil {
				t.Fatal(err)
			}
			t.Cleanup(func() { _ = w.Close() })
		}, side: doctor.SideLocal, check: "workspace", status: doctor.Warn, detail: "another transship", remedy: "-w", healthy: true},
		"a full disk": {spoil: func(_ *testing.T, _ *cloudstest.World, o *doctor.Options) {
			o.Free = func(string) uint64 { return 1 << 20 }
		},
			side: doctor.SideLocal, check: "room", status: doctor.Fail, detail: "1 MiB are free", remedy: "1 GiB"},
		"two waves claim one repository": {spoil: func(t *testing.T, _ *cloudstest.World, o *doctor.Options) {
			for name, pattern := range map[string]string{"one": "team/api", "two": "team/*"} {
				w, err := ref.ParseWave(name, []string{pattern}, nil)
				if err != nil {
					t.Fatal(err)
				}
				o.Waves = append(o.Waves, w)
			}
		}, side: doctor.SideLocal, check: "waves", status: doctor.Fail, detail: "team/api", remedy: "exclude team/api from two"},
		"a proxy with a password": {spoil: func(_ *testing.T, _ *cloudstest.World, o *doctor.Options) {
			o.Getenv = func(name string) string {
				return map[string]string{"HTTPS_PROXY": "http://me:secret@proxy:3128"}[name]
			}
		}, side: doctor.SideLocal, check: "proxy", status: doctor.Pass, detail: "HTTPS_PROXY=http://proxy:3128 (with a user)", healthy: true},
		"a file of authorities that is missing": {spoil: func(_ *testing.T, _ *cloudstest.World, o *doctor.Options) {
			o.Getenv = func(name string) string { return map[string]string{"AWS_CA_BUNDLE": "/nowhere/ca.pem"}[name] }
		}, side: doctor.SideLocal, check: "trusted authorities", status: doctor.Fail, detail: "/nowhere/ca.pem", remedy: "AWS_CA_BUNDLE"},
	}
}

// readOnly is a folder that nobody can write, not even root.
func readOnly(t *testing.T) string {
	t.Helper()
	if os.Geteuid() != 0 {
		dir := t.TempDir()
		if err := os.Chmod(dir, 0o500); err != nil { //nolint:gosec // a folder
			t.Fatal(err)
		}
		return filepath.Join(dir, "transship")
	}
	if _, err := os.Stat("/proc/self"); err != nil {
		t.Skip("nothing is read-only for root here")
	}
	return "/proc/transship"
}

// TestSetUps examines broken set-ups and a healthy one: doctor must find what is broken, say what mends it, and find
// nothing else.
func TestSetUps(t *testing.T) {
	for _, sets := range []map[string]set{awsSets(), googleSets(), machineSets(), syncSets()} {
		for name, s := range sets {
			t.Run(name, func(t *testing.T) { s.try(t) })
		}
	}
}

func (s set) try(t *testing.T) {
	w := cloudstest.New(t, s.sim, corpus.Flat(2, 2))
	o := doctor.Options{
		Sources:   []doctor.Source{{Registry: cloudstest.Registry()}},
		Targets:   []ref.TargetRepository{cloudstest.Default().Repository},
		Workspace: filepath.Join(t.TempDir(), "transship"), Clouds: w.Options(),
	}
	o.Getenv = o.Clouds.Getenv
	s.spoil(t, w, &o)
	r := doctor.Examine(t.Context(), o)
	found, others := false, 0
	for _, g := range r.Groups {
		for _, c := range g.Checks {
			if g.Side == s.side && c.Name == s.check {
				found = true
				s.right(t, c)
			} else if c.Status == doctor.Fail {
				others++
				t.Logf("also failed: %s %+v", g.Side, c)
			}
			if strings.Contains(c.Detail+strings.Join(c.Remedy, ""), "secret") || strings.Contains(c.Detail, cloudstest.Token) {
				t.Errorf("a secret is told: %+v", c)
			}
			if c.Status == doctor.Fail && len(c.Remedy) == 0 {
				t.Errorf("no remedy: %+v", c)
			}
		}
	}
	if !found {
		t.Errorf("there is no check %q of %s in %+v", s.check, s.side, r)
	}
	if s.healthy != (r.Failed == 0) || others != s.others {
		t.Errorf("%d failed, %d besides what was broken, not %d", r.Failed, others, s.others)
	}
	if _, err := os.Stat(o.Workspace); err == nil && s.check != "workspace" {
		t.Error("the workspace was created")
	}
}

func (s set) right(t *testing.T, c doctor.Check) {
	t.Helper()
	if c.Status != s.status || !strings.Contains(c.Detail, s.detail) || !strings.Contains(strings.Join(c.Remedy, "\n"), s.remedy) {
		t.Errorf("got %+v\nwant %s with %q and the remedy %q", c, s.status, s.detail, s.remedy)
	}
}

// TestNothingIsPulled keeps ECR's pull times, and the number of requests, as they are.
func TestNothingIsPulled(t *testing.T) {
	w := cloudstest.New(t, cloudsim.Options{}, corpus.Flat(3, 3))
	o := doctor.Options{
		Sources: []doctor.Source{{Registry: cloudstest.Registry()}}, Targets: []ref.TargetRepository{cloudstest.Default().Repository},
		Workspace: t.TempDir(), Clouds: w.Options(),
	}
	pulled := map[digest.Digest]time.Time{}
	for _, repo := range w.ECR.Repositories() {
		for image, err := range w.Source.Images(t.Context(), cloudstest.Registry().Repository(repo.Name())) {
			if err != nil {
				t.Fatal(err)
			}
			pulled[image.Digest] = repo.PulledAt(image.Digest)
		}
	}
	before := w.Sim.Counts()
	r := doctor.Examine(t.Context(), o)
	if r.Failed != 0 {
		t.Fatalf("%+v", r)
	}
	if n := w.Sim.Counts().Sub(before).Total(); n > 30 {
		t.Errorf("%d requests", n)
	}
	for _, repo := range w.ECR.Repositories() {
		for image, err := range w.Source.Images(t.Context(), cloudstest.Registry().Repository(repo.Name())) {
			if err != nil {
				t.Fatal(err)
			}
			if !repo.PulledAt(image.Digest).Equal(pulled[image.Digest]) {
				t.Errorf("%s@%s was pulled", repo.Name(), image.Digest)
			}
		}
	}
}

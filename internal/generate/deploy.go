package generate

import (
	"bytes"
	"embed"
	"encoding/json"
	"fmt"
	"io/fs"
	"path"
	"strings"
	"text/template"

	"transship/internal/ref"
)

// Platform is where containers run.
type Platform string

// The platforms. On Google's, the service account that the containers run as writes to Artifact Registry, and its ID
// token assumes roles in AWS; on EKS, the pod's role reads ECR, and federates to the service account.
const (
	GKE        Platform = "gke"
	EKS        Platform = "eks"
	CloudRun   Platform = "cloud-run"
	CloudBuild Platform = "cloud-build"
)

// Deployment is what it takes to run a migration in containers: once, on many machines, and on a schedule. Everything in
// it must be checked before: the values go into files and scripts as they are.
type Deployment struct {
	Migration          // with the sources as Keyless returned them
	Platform  Platform //
	Name      string   // what the objects are called, such as transship, or transship-WAVE
	Image     string   // of transship itself
	Shards    int      // how many workers copy
	Bucket    string   // Cloud Storage's, on EKS S3's, that the plan reaches the workers in
	Schedule  string   // of the sync: five fields, in UTC
	Namespace string   // of Kubernetes
	Project   string   // Google's, where the containers or their service account live
	Region    string   // of Cloud Run and Cloud Build
	Events    []string // URLs of queues for the sync; may be empty
	Config    string   // transship.yaml for the workers
	Plan      string   // path of plan.json on the machine that plans
}

// readerRole and podRole are what the roles in AWS are called where the migration names none.
const (
	readerRole = "transship-reader"
	podRole    = "transship"
)

// Keyless returns the sources with the roles by which a platform reads them without keys. On Google's platforms each is
// read through a role that Google's ID token assumes. On EKS, the pod's own role reads the registries of its account,
// which is that of the first source, and assumes a role for those of others. Roles that are named stay.
func Keyless(p Platform, sources []Source) []Source {
	out := make([]Source, 0, len(sources))
	for i, s := range sources {
		s.WebIdentity = p != EKS
		if s.RoleARN == "" && (p != EKS || i > 0 && s.Registry.Account != sources[0].Registry.Account) {
			s.RoleARN = roleARN(s.Registry, readerRole)
		}
		if s.WebIdentity {
			s.ExternalID = "" // there is none when a web identity assumes the role
		}
		out = append(out, s)
	}
	return out
}

func roleARN(r ref.Registry, name string) string {
	return "arn:" + r.Partition() + ":iam::" + r.Account + ":role/" + name
}

// Kubernetes returns the files for GKE or EKS, as d.Platform says: what both runs need (common.yaml), the copy once as an
// Indexed Job (copy.yaml), the sync as a Deployment (sync.yaml) or as a CronJob (sync-cron.yaml), and the scripts that
// set the clouds up. The objects are Kubernetes 1.33's and later's.
func (d Deployment) Kubernetes() ([]File, error) { return d.files("kubernetes") }

// CloudRun returns the files for Cloud Run: the copy once as a job with a task a shard, the sync as a job that Cloud
// Scheduler starts, and the scripts that set them up.
func (d Deployment) CloudRun() ([]File, error) { return d.files("cloud-run") }

// CloudBuild returns the files for Cloud Build: the copy once as a build with a step a shard, the sync as a build that a
// scheduled trigger starts, and the scripts that set them up.
func (d Deployment) CloudBuild() ([]File, error) { return d.files("cloud-build") }

//go:embed templates
var templates embed.FS

// files executes the templates of a generator, one file each, sorted by name.
func (d Deployment) files(generator string) ([]File, error) {
	t, err := d.parse(generator)
	if err != nil {
		return nil, err
	}
	entries, err := fs.ReadDir(templates, path.Join("templates", generator))
	if err != nil {
		return nil, err
	}
	var out []File
	for _, e := range entries {
		if strings.HasPrefix(e.Name(), "part-") || e.Name() == "aws.sh" && len(d.Roles()) == 0 {
			continue
		}
		var b bytes.Buffer
		if err := t.ExecuteTemplate(&b, e.Name(), d); err != nil {
			return nil, fmt.Errorf("generate %s: %s: %w", generator, e.Name(), err)
		}
		out = append(out, File{Name: e.Name(), Content: b.String()})
	}
	return out, nil
}

// parse reads the templates of a generator, and those that all share.
func (d Deployment) parse(generator string) (*template.Template, error) {
	t := template.New("").Option("missingkey=error")
	t.Funcs(template.FuncMap{
		"header": func() string { return strings.TrimSuffix(header(generator), "\n") },
		"quote":  quote,
		"shell":  shell,
		"indent": indent,
		"include": func(name string, data any) (string, error) {
			var b bytes.Buffer
			err := t.ExecuteTemplate(&b, name, data)
			return strings.TrimSuffix(b.String(), "\n"), err
		},
		"count": func(n int) []int {
			out := make([]int, n)
			for i := range out {
				out[i] = i
			}
			return out
		},
		"pod": func(what string) podOf { return podOf{d, what} },
	})
	return t.ParseFS(templates, "templates/shared/*", "templates/"+generator+"/*")
}

// podOf is a pod of a deployment: What is copy, sync or cron.
type podOf struct {
	Deployment
	What string
}

// quote makes a string of YAML (and JSON) out of s.
func quote(s string) (string, error) {
	var b strings.Builder
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false)
	err := e.Encode(s)
	return strings.TrimSuffix(b.String(), "\n"), err
}

// shell makes one word of the shell out of s.
func shell(s string) string { return "'" + strings.ReplaceAll(s, "'", `'\''`) + "'" }

// indent moves the lines of s to the right, but for empty ones.
func indent(n int, s string) string {
	var b strings.Builder
	for line := range strings.Lines(s) {
		if strings.TrimSpace(line) != "" {
			b.WriteString(strings.Repeat(" ", n))
		}
		b.WriteString(line)
	}
	return b.String()
}

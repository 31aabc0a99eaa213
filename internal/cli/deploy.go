package cli

import (
	"cmp"
	"fmt"
	"path/filepath"
	"regexp"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"transship/internal/cli/text"
	"transship/internal/generate"
	"transship/internal/workspace"
)

// deployFlags are those of the commands that write files for containers.
type deployFlags struct {
	platform, image, bucket, schedule, namespace, project, region string
	shards                                                        int
	events                                                        []string
}

// newKubernetes returns the command that writes files for Kubernetes.
func newKubernetes(a *app) *cobra.Command {
	var f deployFlags
	cmd := &cobra.Command{
		Use:   "kubernetes DIR",
		Short: "Write the files that copy and sync on GKE or EKS",
		Long: `Write into DIR what runs the migration on Kubernetes: the copy once, by workers
that share it (an Indexed Job), and the sync as a Deployment or a CronJob, with
scripts that set both clouds up. Nobody gets a key: on GKE, the pods' service
account writes and assumes a role in AWS; on EKS, the pods' role reads and
federates to a service account. The plan reaches the workers through --bucket,
of Cloud Storage or of S3.

Changes nothing on either side. Files that it wrote before are replaced, but
none that somebody made their own.`,
		Example: `  transship generate kubernetes deploy --platform gke --bucket my-migration \
    --image us-docker.pkg.dev/my-gcp-project/tools/transship:1.0
  transship generate kubernetes deploy --platform eks --bucket my-migration \
    --shards 16 --image 123456789012.dkr.ecr.us-east-1.amazonaws.com/transship:1`,
		Args: oneFolder,
		RunE: func(_ *cobra.Command, args []string) error {
			if f.platform != string(generate.GKE) && f.platform != string(generate.EKS) {
				return usagef("--platform: %q is neither gke nor eks", f.platform)
			}
			next := "setup.sh and aws.sh"
			if f.platform == string(generate.EKS) { // whose role the federation of setup.sh trusts
				next = "aws.sh and setup.sh"
			}
			return a.deploy(args[0], f, generate.Platform(f.platform), generate.Deployment.Kubernetes, next)
		},
	}
	cmd.Flags().StringVar(&f.platform, "platform", "", "`PLATFORM` of the cluster: gke or eks")
	cmd.Flags().StringVar(&f.namespace, "namespace", "transship", "`NAMESPACE` of Kubernetes for all of it")
	cmd.Flags().StringArrayVar(&f.events, "events", nil, "`URL` of a queue with ECR's events, for the sync (repeatable)")
	f.add(cmd)
	return cmd
}

// newCloudRun returns the command that writes files for Cloud Run.
func newCloudRun(a *app) *cobra.Command {
	var f deployFlags
	cmd := &cobra.Command{
		Use:   "cloud-run DIR",
		Short: "Write the files that copy and sync on Cloud Run",
		Long: `Write into DIR what runs the migration on Cloud Run: the copy once, as a job
with a task a shard, and the sync as a job that Cloud Scheduler starts, with
scripts that set both clouds up. Nobody gets a key: the jobs' service account
writes, and assumes a role in AWS. The plan reaches the tasks through --bucket.

Changes nothing on either side. Files that it wrote before are replaced, but
none that somebody made their own.`,
		Example: `  transship generate cloud-run deploy --region us-east4 --bucket my-migration \
    --image us-docker.pkg.dev/my-gcp-project/tools/transship:1.0`,
		Args: oneFolder,
		RunE: func(_ *cobra.Command, args []string) error {
			if f.region == "" {
				return usagef("--region: Cloud Run wants a region: one near ECR's, such as us-east4")
			}
			return a.deploy(args[0], f, generate.CloudRun, generate.Deployment.CloudRun, "setup.sh and aws.sh")
		},
	}
	cmd.Flags().StringVar(&f.region, "region", "", "`REGION` of Cloud Run")
	f.add(cmd)
	return cmd
}

// newCloudBuild returns the command that writes files for Cloud Build.
func newCloudBuild(a *app) *cobra.Command {
	var f deployFlags
	cmd := &cobra.Command{
		Use:   "cloud-build DIR",
		Short: "Write the files that copy and sync on Cloud Build",
		Long: `Write into DIR what runs the migration on Cloud Build: the copy once, with a
step a shard, and the sync as a trigger that Cloud Scheduler pulls, with scripts
that set both clouds up. Nobody gets a key: the builds' service account writes,
and assumes a role in AWS. The plan reaches the steps through --bucket. The
steps of a build share one machine, and a day: Cloud Run has more of both.

Changes nothing on either side. Files that it wrote before are replaced, but
none that somebody made their own.`,
		Example: `  transship generate cloud-build deploy --bucket my-migration \
    --image us-docker.pkg.dev/my-gcp-project/tools/transship:1.0`,
		Args: oneFolder,
		RunE: func(_ *cobra.Command, args []string) error {
			if f.shards > 100 {
				return usagef("--shards: a build of Cloud Build is one machine, and 100 steps of it are enough: use cloud-run or kubernetes for %d", f.shards)
			}
			return a.deploy(args[0], f, generate.CloudBuild, generate.Deployment.CloudBuild, "setup.sh and aws.sh")
		},
	}
	cmd.Flags().StringVar(&f.region, "region", "global", "`REGION` of Cloud Build")
	f.add(cmd)
	return cmd
}

// add gives cmd the flags that all of them have.
func (f *deployFlags) add(cmd *cobra.Command) {
	cmd.Flags().StringVar(&f.image, "image", "", "`IMAGE` of transship, built from its Containerfile")
	cmd.Flags().StringVar(&f.bucket, "bucket", "", "`BUCKET` that the plan reaches the workers in; it need not exist")
	cmd.Flags().IntVar(&f.shards, "shards", 8, "how many workers share the copy")
	cmd.Flags().StringVar(&f.schedule, "schedule", "*/15 * * * *", "when to sync, as `CRON` says it, in UTC")
	cmd.Flags().StringVar(&f.project, "project", "", "Google `PROJECT` to run in (default: the target's)")
}

// oneFolder wants the folder to write into.
func oneFolder(cmd *cobra.Command, args []string) error {
	if len(args) != 1 {
		return usagef("%s wants one folder to write into", cmd.CommandPath())
	}
	return nil
}

// What values may look like: they go into files and scripts.
var deployPatterns = map[string]*regexp.Regexp{
	"image":     regexp.MustCompile(`^[a-z0-9][A-Za-z0-9._:/@-]*$`),
	"bucket":    regexp.MustCompile(`^[a-z0-9][a-z0-9._-]{1,61}[a-z0-9]$`),
	"schedule":  regexp.MustCompile(`^[0-9A-Za-z*/,-]+( [0-9A-Za-z*/,-]+){4}$`),
	"namespace": regexp.MustCompile(`^[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?$`),
	"project":   regexp.MustCompile(`^([a-z0-9.-]+:)?[a-z][a-z0-9-]{4,28}[a-z0-9]$`),
	"region":    regexp.MustCompile(`^(global|[a-z]+-[a-z]+[0-9]+)$`),
	"events":    regexp.MustCompile(`^https://[A-Za-z0-9.-]+(:[0-9]+)?/[0-9]{12}/[A-Za-z0-9_-]+$`),
}

// check says what is wrong with the flags, and what would be right.
func (f deployFlags) check() error {
	for _, v := range []struct{ name, value, want string }{
		{"image", f.image, "name the image of transship: build it from the Containerfile, push it to a registry that the platform can pull from, and pass its reference"},
		{"bucket", f.bucket, "name a bucket, such as my-migration: 3 to 63 small letters, digits, hyphens and dots"},
		{"schedule", f.schedule, `want five fields, such as "*/15 * * * *"`},
		{"namespace", cmp.Or(f.namespace, "transship"), "want small letters, digits and hyphens"},
		{"project", f.project, "want a project's id, such as my-gcp-project"},
		{"region", cmp.Or(f.region, "global"), "want a region, such as us-east4"},
	} {
		if !deployPatterns[v.name].MatchString(v.value) {
			return usagef("--%s: %q: %s", v.name, v.value, v.want)
		}
	}
	for _, q := range f.events {
		if !deployPatterns["events"].MatchString(q) {
			return usagef("--events: %q: want a queue's URL, such as https://sqs.us-east-1.amazonaws.com/123456789012/transship-ecr-events", q)
		}
	}
	if f.shards < 1 || f.shards > 10_000 { // Cloud Run's limit of tasks. FACTS D.
		return usagef("--shards: %d: want 1 to 10000 workers", f.shards)
	}
	return nil
}

// deploy writes the files of a platform into dir.
func (a *app) deploy(dir string, f deployFlags, platform generate.Platform, make func(generate.Deployment) ([]generate.File, error), next string) error {
	s, m, err := a.migration()
	if err != nil {
		return err
	}
	if f.project == "" && len(m.Targets) > 0 {
		f.project = m.Targets[0].Project
	}
	if err := f.check(); err != nil {
		return err
	}
	m.Sources = generate.Keyless(platform, m.Sources)
	d := generate.Deployment{
		Migration: m, Platform: platform, Name: deployName(s.Wave), Image: f.image, Shards: f.shards, Bucket: f.bucket,
		Schedule: f.schedule, Namespace: f.namespace, Project: f.project, Region: f.region, Events: f.events,
	}
	d.Plan = filepath.ToSlash(workspace.At(s.Workspace, s.Wave).Plan())
	if d.Config, err = s.deployed(m.Sources); err != nil {
		return err
	}
	files, err := make(d)
	if err != nil {
		return err
	}
	return a.hand(dir, files, fmt.Sprintf("Read them, then run %s in %s.", next, dir))
}

// deployName is what the objects of a wave are called: the names of Kubernetes and Cloud Run have small letters only.
func deployName(wave string) string {
	if wave == "" {
		return "transship"
	}
	name := "transship-" + strings.ToLower(strings.ReplaceAll(wave, "_", "-"))
	return strings.TrimRight(name[:min(len(name), 45)], "-")
}

// hand writes files into dir, and says so.
func (a *app) hand(dir string, files []generate.File, next string) error {
	if err := generate.Write(dir, files); err != nil {
		return err
	}
	var paths []string
	for _, f := range files {
		paths = append(paths, filepath.Join(dir, f.Name))
	}
	slices.Sort(paths)
	if a.flags.json {
		return encode(a.streams.Out, struct {
			Written []string `json:"written"` // paths
		}{paths})
	}
	text.Written(a.streams.Out, a.words(), paths, next)
	return nil
}

// newEvents returns the command that writes what takes ECR's events to a queue.
func newEvents(a *app) *cobra.Command {
	return &cobra.Command{
		Use:   "events DIR",
		Short: "Write what takes ECR's events to a queue, as Terraform",
		Long: `Write into DIR, as Terraform, what "transship sync --events" reads: in each
account and region of the sources, the EventBridge rule for pushes, deletions,
replication and archiving, the queue that they go to, its policy, a dead-letter
queue, and what the reader of the queue must be allowed.

Writes ecr-events.tf and ecr-events-providers.tf, which fit beside what
"transship generate terraform" writes. Changes nothing on either side. Files
that it wrote before are replaced, but none that somebody made their own.`,
		Example: `  transship generate events infra/events
  terraform -chdir=infra/events output transship_events`,
		Args: oneFolder,
		RunE: func(_ *cobra.Command, args []string) error {
			_, m, err := a.migration()
			if err != nil {
				return err
			}
			return a.hand(args[0], m.Events(), `See what it would do with "terraform init" and "terraform plan" there.`)
		},
	}
}

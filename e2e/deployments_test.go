package e2e

import (
	"bytes"
	"encoding/json"
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"testing"

	"google.golang.org/api/cloudbuild/v1"
	cloudrun "google.golang.org/api/run/v1"
	apps "k8s.io/api/apps/v1"
	batch "k8s.io/api/batch/v1"
	core "k8s.io/api/core/v1"
	networking "k8s.io/api/networking/v1"
	"k8s.io/apimachinery/pkg/labels"
	"k8s.io/apimachinery/pkg/util/validation"
	"sigs.k8s.io/yaml"
)

// generated is where the golden files are that "transship generate" is held to. The types that they are held to here
// would make the product's binary larger by a quarter (30 MB to 38 MB, k8s.io/api v0.37), so they are known to this module
// alone.
const generated = "../internal/generate/testdata"

// objectOf returns an empty object of the API's own type.
func objectOf(t *testing.T, kind string) any {
	t.Helper()
	objects := map[string]any{
		"v1/Namespace": &core.Namespace{}, "v1/ServiceAccount": &core.ServiceAccount{}, "v1/ConfigMap": &core.ConfigMap{},
		"v1/PersistentVolume": &core.PersistentVolume{}, "v1/PersistentVolumeClaim": &core.PersistentVolumeClaim{},
		"networking.k8s.io/v1/NetworkPolicy": &networking.NetworkPolicy{},
		"batch/v1/Job":                       &batch.Job{}, "batch/v1/CronJob": &batch.CronJob{}, "apps/v1/Deployment": &apps.Deployment{},
	}
	o, ok := objects[kind]
	if !ok {
		t.Fatalf("nothing is known of a %s", kind)
	}
	return o
}

// objectsIn returns the objects of a file: what is in it that the API does not know is an error, and so is what the API would
// take for something else.
func objectsIn(t *testing.T, path string) (out []any) {
	t.Helper()
	content, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	for document := range strings.SplitSeq(string(content), "\n---\n") {
		var kind struct{ APIVersion, Kind string }
		if err := yaml.Unmarshal([]byte(document), &kind); err != nil {
			t.Fatalf("%s: %v", path, err)
		}
		o := objectOf(t, kind.APIVersion+"/"+kind.Kind)
		if err := yaml.UnmarshalStrict([]byte(document), o); err != nil {
			t.Fatalf("%s: %s: %v", path, kind.Kind, err)
		}
		again, err := yaml.Marshal(o)
		if err != nil {
			t.Fatal(err)
		}
		var said, understood any
		if err := yaml.Unmarshal([]byte(document), &said); err != nil {
			t.Fatal(err)
		}
		if err := yaml.Unmarshal(again, &understood); err != nil {
			t.Fatal(err)
		}
		if lost := missing("", said, understood); len(lost) > 0 {
			t.Errorf("%s: %s: the API understands otherwise: %v", path, kind.Kind, lost)
		}
		out = append(out, o)
	}
	return out
}

// missing returns where a says something that b does not.
func missing(at string, a, b any) (out []string) {
	switch a := a.(type) {
	case map[string]any:
		other, _ := b.(map[string]any)
		for k, v := range a {
			out = append(out, missing(at+"."+k, v, other[k])...)
		}
	case []any:
		other, _ := b.([]any)
		if len(other) != len(a) {
			return []string{at}
		}
		for i, v := range a {
			out = append(out, missing(at+"[]", v, other[i])...)
		}
	default:
		if !reflect.DeepEqual(a, b) {
			out = append(out, at)
		}
	}
	return out
}

func TestKubernetesObjects(t *testing.T) {
	t.Parallel()
	for _, platform := range []string{"gke", "eks"} {
		claims, configs := map[string]bool{}, map[string]bool{}
		pods := map[string]core.PodTemplateSpec{}
		var policies []*networking.NetworkPolicy
		files, err := filepath.Glob(filepath.Join(generated, platform, "*.yaml"))
		if err != nil || len(files) != 4 {
			t.Fatalf("%v: %v", files, err)
		}
		for _, path := range files {
			for _, o := range objectsIn(t, path) {
				switch o := o.(type) {
				case *core.PersistentVolumeClaim:
					claims[o.Name] = true
				case *core.ConfigMap:
					configs[o.Name] = true
					for key := range o.Data {
						if problems := validation.IsConfigMapKey(key); len(problems) > 0 {
							t.Errorf("%s: the key %s: %v", path, key, problems)
						}
					}
				case *networking.NetworkPolicy:
					policies = append(policies, o)
				case *batch.Job:
					checkJob(t, o)
					pods[path] = o.Spec.Template
				case *batch.CronJob:
					if o.Spec.ConcurrencyPolicy != batch.ForbidConcurrent || o.Spec.JobTemplate.Spec.Template.Spec.RestartPolicy != core.RestartPolicyNever {
						t.Errorf("%s: cycles may overlap, or their failures cannot be told", path)
					}
					pods[path] = o.Spec.JobTemplate.Spec.Template
				case *apps.Deployment:
					checkDeployment(t, o)
					pods[path] = o.Spec.Template
				}
			}
		}
		if len(pods) != 3 || len(policies) != 1 {
			t.Fatalf("%s: %d pods, %d policies", platform, len(pods), len(policies))
		}
		for path, pod := range pods {
			checkPod(t, path, pod, claims, configs)
			if !labels.SelectorFromSet(policies[0].Spec.PodSelector.MatchLabels).Matches(labels.Set(pod.Labels)) {
				t.Errorf("%s: the network policy is not about its pods", path)
			}
		}
	}
}

// checkJob looks for what the API's server would refuse, and for what the design wants.
func checkJob(t *testing.T, j *batch.Job) {
	t.Helper()
	s := j.Spec
	if s.CompletionMode == nil || *s.CompletionMode != batch.IndexedCompletion || *s.Completions != *s.Parallelism {
		t.Errorf("not all shards run at once: %v of %v", s.Parallelism, s.Completions)
	}
	if s.BackoffLimitPerIndex == nil || s.MaxFailedIndexes == nil || *s.MaxFailedIndexes > *s.Completions {
		t.Errorf("a shard that fails ends the others: %v, %v", s.BackoffLimitPerIndex, s.MaxFailedIndexes)
	}
	if s.Template.Spec.RestartPolicy != core.RestartPolicyNever {
		t.Error("a policy of failures wants pods that are not started again") // as the server says, too
	}
	for _, rule := range s.PodFailurePolicy.Rules {
		if rule.OnExitCodes != nil && slices.Contains(rule.OnExitCodes.Values, 0) {
			t.Error("exit code 0 is no failure")
		}
		if (rule.OnExitCodes == nil) == (len(rule.OnPodConditions) == 0) {
			t.Errorf("a rule is about exit codes or about conditions: %v", rule)
		}
	}
}

func checkDeployment(t *testing.T, d *apps.Deployment) {
	t.Helper()
	if *d.Spec.Replicas != 1 || d.Spec.Strategy.Type != apps.RecreateDeploymentStrategyType {
		t.Errorf("two could be at one workspace: %d, %s", *d.Spec.Replicas, d.Spec.Strategy.Type)
	}
	if !labels.SelectorFromSet(d.Spec.Selector.MatchLabels).Matches(labels.Set(d.Spec.Template.Labels)) {
		t.Error("the selector does not find the pods")
	}
	c := d.Spec.Template.Spec.Containers[0]
	if c.LivenessProbe.HTTPGet.Path != "/healthz" || c.ReadinessProbe.HTTPGet.Path != "/readyz" {
		t.Errorf("nobody asks how it is: %v, %v", c.LivenessProbe, c.ReadinessProbe)
	}
}

// checkPod holds a pod to what the profile "restricted" wants, and its mounts to what there is.
func checkPod(t *testing.T, path string, pod core.PodTemplateSpec, claims, configs map[string]bool) {
	t.Helper()
	s := pod.Spec
	volumes := map[string]core.Volume{}
	for _, v := range s.Volumes {
		volumes[v.Name] = v
		if v.PersistentVolumeClaim != nil && !claims[v.PersistentVolumeClaim.ClaimName] || v.ConfigMap != nil && !configs[v.ConfigMap.Name] {
			t.Errorf("%s: the volume %s is of nothing", path, v.Name)
		}
	}
	if *s.AutomountServiceAccountToken || !*s.SecurityContext.RunAsNonRoot || s.SecurityContext.SeccompProfile.Type != core.SeccompProfileTypeRuntimeDefault {
		t.Errorf("%s: the pod may too much: %v", path, s.SecurityContext)
	}
	for _, c := range s.Containers {
		if *c.SecurityContext.AllowPrivilegeEscalation || !*c.SecurityContext.ReadOnlyRootFilesystem || !slices.Equal(c.SecurityContext.Capabilities.Drop, []core.Capability{"ALL"}) {
			t.Errorf("%s: the container may too much: %v", path, c.SecurityContext)
		}
		if c.Resources.Requests.Memory().Cmp(*c.Resources.Limits.Memory()) > 0 {
			t.Errorf("%s: it asks for more memory than it may have", path)
		}
		for _, m := range c.VolumeMounts {
			v, ok := volumes[m.Name]
			if !ok || m.Name == "plan" && (!m.ReadOnly || v.CSI == nil && !v.PersistentVolumeClaim.ReadOnly || v.CSI != nil && !*v.CSI.ReadOnly) {
				t.Errorf("%s: the mount %s is of nothing, or can be written to", path, m.Name)
			}
		}
	}
	for k, v := range pod.Labels {
		if problems := slices.Concat(validation.IsQualifiedName(k), validation.IsValidLabelValue(v)); len(problems) > 0 {
			t.Errorf("%s: %v", path, problems)
		}
	}
}

// strictly reads a file of Google's into its API's type, in which nothing may be unknown.
func strictly(t *testing.T, file string, into any) {
	t.Helper()
	content, err := os.ReadFile(filepath.Join(generated, file))
	if err != nil {
		t.Fatal(err)
	}
	text, err := yaml.YAMLToJSONStrict(content)
	if err != nil {
		t.Fatalf("%s: %v", file, err)
	}
	d := json.NewDecoder(bytes.NewReader(text))
	d.DisallowUnknownFields()
	if err := d.Decode(into); err != nil {
		t.Fatalf("%s: %v", file, err)
	}
}

func TestCloudRunJobs(t *testing.T) {
	t.Parallel()
	for _, name := range []string{"copy.yaml", "sync.yaml"} {
		var j cloudrun.Job
		strictly(t, "cloud-run/"+name, &j)
		task := j.Spec.Template.Spec.Template.Spec
		if j.Kind != "Job" || task.ServiceAccountName == "" || task.TimeoutSeconds > 168*3600 || task.MaxRetries > 10 { // FACTS D
			t.Errorf("%s: Cloud Run would refuse it: %v", name, task)
		}
		mounted := map[string]bool{}
		for _, m := range task.Containers[0].VolumeMounts {
			mounted[m.Name] = true
		}
		for _, v := range task.Volumes {
			if !mounted[v.Name] || v.Csi != nil && !v.Csi.ReadOnly {
				t.Errorf("%s: the volume %s is not mounted, or can be written to", name, v.Name)
			}
		}
	}
}

func TestCloudBuilds(t *testing.T) {
	t.Parallel()
	for _, name := range []string{"copy.yaml", "sync.yaml"} {
		var b cloudbuild.Build
		strictly(t, "cloud-build/"+name, &b)
		before := map[string]bool{"-": true}
		for _, s := range b.Steps {
			for _, id := range s.WaitFor {
				if !before[id] {
					t.Errorf("%s: %s waits for %s, which is not before it", name, s.Id, id)
				}
			}
			before[s.Id] = true
		}
		if b.ServiceAccount == "" || b.Options.Logging != "CLOUD_LOGGING_ONLY" {
			t.Errorf("%s: an account of one's own wants a place for the logs", name)
		}
	}
}

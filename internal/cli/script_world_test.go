package cli

import (
	"cmp"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync"

	"github.com/opencontainers/go-digest"
	ocispec "github.com/opencontainers/image-spec/specs-go/v1"
	"github.com/rogpeppe/go-internal/testscript"

	"transship/internal/cloudsim"
	"transship/internal/cloudsim/arsim"
	"transship/internal/cloudsim/corpus"
	"transship/internal/cloudsim/ecrsim"
)

// What the worlds of the scripts are called.
const (
	scriptAccount = "123456789012"
	scriptRegion  = "us-east-1"
	scriptFrom    = scriptAccount + ".dkr.ecr." + scriptRegion + ".amazonaws.com"
	scriptTo      = "us-docker.pkg.dev/my-gcp-project/app-images"
	scriptToken   = "ya29.script-token"
	scriptKey     = "AKIDSCRIPTSCRIPT0000"
)

// world is the pair of embedded clouds of one script.
type world struct {
	sim    *cloudsim.Sim
	marked cloudsim.Counts
	faults []cloudsim.Fault
	hung   chan struct{} // closed once a request hangs
}

type worldKey struct{}

// newWorld starts empty clouds and puts into the script's environment what a user's would hold, and how the clouds are
// reached.
func newWorld(e *testscript.Env) error {
	o := cloudsim.Options{}
	o.AR.Token = scriptToken
	w := &world{sim: cloudsim.New(o)}
	e.Defer(func() { _ = w.sim.Close() })
	w.sim.ECR(scriptAccount, scriptRegion).SetAccessKeys(scriptKey)
	w.sim.AR()
	if err := w.sim.StartMemory(); err != nil {
		return err
	}
	proxy, err := w.sim.StartProxy()
	if err != nil {
		return err
	}
	ca := filepath.Join(e.WorkDir, ".ca.pem")
	if err := os.WriteFile(ca, w.sim.CAPEM(), 0o600); err != nil {
		return err
	}
	for name, value := range map[string]string{
		"HOME": e.WorkDir, "FROM": scriptFrom, "TO": scriptTo,
		"AWS_ACCESS_KEY_ID": scriptKey, "AWS_SECRET_ACCESS_KEY": "script-secret", "AWS_EC2_METADATA_DISABLED": "true",
		"GOOGLE_OAUTH_ACCESS_TOKEN": scriptToken,
		"HTTPS_PROXY":               proxy, "SSL_CERT_FILE": ca,
		"GODEBUG": "x509usefallbackroots=1",                          // only where there are fallback roots
		"GORACE":  cmp.Or(os.Getenv("GORACE"), "atexit_sleep_ms=10"), // not a second for each process
	} {
		e.Setenv(name, value)
	}
	e.Values[worldKey{}] = w
	return nil
}

func worldOf(ts *testscript.TestScript) *world { return ts.Value(worldKey{}).(*world) }

// cloudAction is something that happens in the clouds.
type cloudAction struct {
	usage string
	args  int // at least
	do    func(w *world, args []string) error
}

// cloudActions are what the cloud command can do. A REPO is named as in ECR; at the target it is below $TO.
func cloudActions() map[string]cloudAction {
	return map[string]cloudAction{
		"corpus":           {"demo | flat REPOSITORIES TAGS | empty [region=R] [seed=N]: fill ECR", 1, (*world).corpus},
		"repository":       {"REPO [length=N]: create an empty one in ECR, its name made N characters long", 1, (*world).repository},
		"provision":        {"[ID]: create an Artifact Registry repository", 0, (*world).provision},
		"immutable":        {"[ID]: create one with immutable tags", 0, (*world).immutable},
		"hold":             {"[MODE]: ECR's repositories all have immutable tags, or that mode of mutability", 0, (*world).hold},
		"cleaned":          {"[ID]: create one with a label and a clean-up policy of somebody's at work", 0, (*world).cleaned},
		"copied":           {": everything in ECR is at the target already, as copied earlier", 0, (*world).copied},
		"delete-tag":       {"REPO TAG: somebody deletes a tag at the target", 2, (*world).deleteTag},
		"move-tag":         {"REPO TAG OTHER: somebody points TAG at what OTHER, a tag or digest, is at the target", 3, (*world).moveTag},
		"push":             {"REPO TAG: somebody pushes an image of their own to the target", 2, (*world).push},
		"retag":            {"REPO TAG OTHER: somebody points TAG at what OTHER is in ECR", 3, (*world).retag},
		"delete-image":     {"REPO TAG: somebody deletes an image with all its tags in ECR", 2, (*world).deleteImage},
		"archive":          {"REPO TAG: ECR moves the image to cold storage", 2, (*world).archive},
		"drop-blob":        {"REPO TAG: ECR loses the image's last layer", 2, (*world).dropBlob},
		"corrupt-manifest": {"REPO TAG: ECR serves other bytes than the digest says", 2, (*world).corruptManifest},
		"unserved":         {"REPO TAG: ECR lists the image and does not serve it", 2, (*world).unserved},
		"fault":            {"KIND STATUS [times=N] [path=TEXT] | none: requests of a kind are answered by a status", 1, (*world).fault},
		"guarded":          {": ECR's repositories get what teams set on theirs: policies, immutable tags, keys, tags", 0, (*world).guarded},
		"hostile":          {": somebody fills ECR with names, tags and manifests that only malice makes", 0, (*world).hostile},
		"hang":             {"KIND: requests of a kind get no answer until the client goes away; see await", 1, (*world).hang},
		"listen":           {": ECR's events go to the queue transship", 0, (*world).listen},
		"message":          {"TEXT: somebody puts a message into the queue", 1, (*world).message},
		"messages":         {"N: there are N messages in the queue", 1, (*world).messages},
		"build":            {"REPO TAG: a pipeline pushes a new image to ECR", 2, (*world).build},
		"untag":            {"REPO TAG…: somebody deletes tags in ECR", 2, (*world).untag},
		"arrived":          {"REPO TAG…: the target has those tags, as ECR has them, and no others", 1, (*world).arrived},
		"pulled":           {"REPO TAG AGO: somebody pulls an image from ECR, so long ago", 3, (*world).pulled},
		"aged":             {"AGO: all that is in ECR was pushed so long ago, and pulled last then", 1, (*world).aged},
		"exclude-pulls":    {": ECR no longer records the migration's own pulls", 0, (*world).excludePulls},
		"nodes":            {"EMAIL [ACTOR]: a service account, as which everybody, or else ACTOR alone, may act", 1, (*world).nodes},
		"throttle":         {"KIND [times=N]: the API throttles", 1, (*world).throttle},
	}
}

func (w *world) guarded([]string) error {
	w.sim.ECR(scriptAccount, scriptRegion).Guard()
	return nil
}

// cloud is the script command.
func cloud(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) == 0 {
		ts.Fatalf("usage: cloud WHAT …")
	}
	action, ok := cloudActions()[args[0]]
	if !ok || len(args)-1 < action.args {
		ts.Fatalf("usage: cloud %s %s", args[0], action.usage)
	}
	ts.Check(action.do(worldOf(ts), args[1:]))
}

// option cuts NAME=VALUE out of args.
func option(args []string, name, otherwise string) (value string, rest []string) {
	value = otherwise
	for _, arg := range args {
		if v, ok := strings.CutPrefix(arg, name+"="); ok {
			value = v
		} else {
			rest = append(rest, arg)
		}
	}
	return value, rest
}

func numbers(texts ...string) ([]int, error) {
	out := make([]int, 0, len(texts))
	for _, text := range texts {
		n, err := strconv.Atoi(text)
		if err != nil {
			return nil, err
		}
		out = append(out, n)
	}
	return out, nil
}

func (w *world) corpus(args []string) error {
	region, args := option(args, "region", scriptRegion)
	seed, args := option(args, "seed", "0")
	n, err := numbers(append([]string{seed}, args[1:]...)...)
	if err != nil {
		return err
	}
	var spec corpus.Spec
	switch {
	case args[0] == "empty" && len(n) == 1:
		w.sim.ECR(scriptAccount, region)
		return nil
	case args[0] == "demo" && len(n) == 1:
		spec = corpus.Demo()
	case args[0] == "flat" && len(n) == 3:
		spec = corpus.Flat(n[1], n[2])
	default:
		return fmt.Errorf("there is no corpus %q", args)
	}
	if n[0] != 0 {
		spec.Seed = uint64(n[0])
	}
	registry := w.sim.ECR(scriptAccount, region)
	registry.SetAccessKeys(scriptKey)
	registry.Load(corpus.Generate(spec))
	return nil
}

func (w *world) registry() *ecrsim.Registry { return w.sim.ECR(scriptAccount, scriptRegion) }

func (w *world) repository(args []string) error {
	length, args := option(args, "length", "0")
	n, err := numbers(length)
	if err != nil {
		return err
	}
	w.registry().CreateRepository(args[0]+strings.Repeat("x", max(0, n[0]-len(args[0]))), ecrsim.RepositorySettings{})
	return nil
}

func (w *world) create(args []string, settings arsim.Repository) error {
	settings.Format = "DOCKER"
	return w.sim.AR().CreateRepository("us", "my-gcp-project", append(args, "app-images")[0], settings)
}

func (w *world) provision(args []string) error { return w.create(args, arsim.Repository{}) }

func (w *world) immutable(args []string) error {
	return w.create(args, arsim.Repository{DockerConfig: &arsim.DockerConfig{ImmutableTags: true}})
}

// copied tells the target of all manifests under all their tags. Blobs do not come along: nobody pulls them.
func (w *world) copied([]string) error {
	if err := w.provision(nil); err != nil {
		return err
	}
	for _, repo := range w.registry().Repositories() {
		tags := repo.Content.TagsByDigest()
		for _, m := range repo.Content.Manifests() {
			for _, reference := range append([]string{m.Digest.String()}, tags[m.Digest]...) {
				err := w.sim.AR().Record("us", "my-gcp-project", "app-images", repo.Name(), reference, m.MediaType, m.Bytes)
				if err != nil {
					return err
				}
			}
		}
	}
	return nil
}

func (w *world) deleteTag(args []string) error {
	return w.sim.AR().DeleteTag(scriptTo+"/"+args[0], args[1])
}

func (w *world) moveTag(args []string) error {
	path := scriptTo + "/" + args[0]
	d := digest.Digest(args[2])
	if image := w.sim.AR().Image(path); d.Validate() != nil && image != nil {
		m, ok := image.Resolve(args[2])
		if !ok {
			return fmt.Errorf("there is no %s:%s", path, args[2])
		}
		d = m.Digest
	}
	return w.sim.AR().SetTag(path, args[1], d)
}

// push records an image at the target that no source holds. It has no layer: nobody pulls it.
func (w *world) push(args []string) error {
	manifest, err := json.Marshal(ocispec.Manifest{
		MediaType: ocispec.MediaTypeImageManifest, Config: ocispec.DescriptorEmptyJSON,
		Annotations: map[string]string{"pushed.by": "somebody else"},
	})
	if err != nil {
		return err
	}
	return w.sim.AR().Record("us", "my-gcp-project", "app-images", args[0], args[1], ocispec.MediaTypeImageManifest, manifest)
}

// image finds what ECR holds as REPO TAG.
func (w *world) image(repo, tag string) (*ecrsim.Repository, digest.Digest, error) {
	r := w.registry().Repository(repo)
	if r == nil {
		return nil, "", fmt.Errorf("ECR holds no repository %s", repo)
	}
	m, ok := r.Content.Resolve(tag)
	if !ok {
		return nil, "", fmt.Errorf("ECR holds no image %s:%s", repo, tag)
	}
	return r, m.Digest, nil
}

func (w *world) retag(args []string) error {
	r, d, err := w.image(args[0], args[2])
	if err == nil {
		r.Content.Tag(args[1], d)
	}
	return err
}

func (w *world) deleteImage(args []string) error {
	r, d, err := w.image(args[0], args[1])
	if err == nil && !r.Content.DeleteManifest(d) {
		err = errors.New("it was not there")
	}
	return err
}

func (w *world) archive(args []string) error {
	r, d, err := w.image(args[0], args[1])
	if err == nil {
		r.SetStatus(d, ecrsim.StatusArchived)
	}
	return err
}

func (w *world) dropBlob(args []string) error {
	r, d, err := w.image(args[0], args[1])
	if err != nil {
		return err
	}
	m, _ := r.Content.Manifest(d)
	var parsed ocispec.Manifest
	if err := json.Unmarshal(m.Bytes, &parsed); err != nil {
		return err
	}
	if len(parsed.Layers) == 0 {
		return fmt.Errorf("%s:%s has no layers", args[0], args[1])
	}
	r.Content.DeleteBlob(parsed.Layers[len(parsed.Layers)-1].Digest)
	return nil
}

func (w *world) corruptManifest(args []string) error {
	r, d, err := w.image(args[0], args[1])
	if err != nil {
		return err
	}
	m, _ := r.Content.Manifest(d)
	m.Bytes = append(slices.Clone(m.Bytes), '\n')
	r.Content.PutManifest(m)
	return nil
}

// unserved lets the image be archived for as long as ECR answers a request for it, so that listings do not show why.
func (w *world) unserved(args []string) error {
	r, d, err := w.image(args[0], args[1])
	if err != nil {
		return err
	}
	var mu sync.Mutex
	hide := func(rw http.ResponseWriter, req *http.Request, next http.Handler) {
		mu.Lock()
		defer mu.Unlock()
		r.SetStatus(d, ecrsim.StatusArchived)
		next.ServeHTTP(rw, req)
		r.SetStatus(d, ecrsim.StatusActive)
	}
	w.spoil(cloudsim.Fault{Kind: "ecr.BatchGetImage", Action: hide}, cloudsim.Fault{Kind: "ecr.v2.manifest.*", Action: hide})
	return nil
}

func (w *world) spoil(faults ...cloudsim.Fault) {
	w.faults = append(w.faults, faults...)
	w.sim.Faults.Set(w.faults...)
}

func (w *world) fault(args []string) error {
	if args[0] == "none" {
		w.faults = nil
		w.sim.Faults.Clear()
		return nil
	}
	times, args := option(args, "times", "0")
	path, args := option(args, "path", "")
	if len(args) != 2 {
		return errors.New("want KIND STATUS")
	}
	n, err := numbers(args[1], times)
	if err != nil {
		return err
	}
	w.spoil(cloudsim.Fault{
		Kind: args[0], Times: n[1], Action: cloudsim.Status(n[0]),
		Match: func(r *http.Request) bool { return strings.Contains(r.URL.Path, path) },
	})
	return nil
}

func (w *world) throttle(args []string) error {
	times, args := option(args, "times", "0")
	n, err := numbers(times)
	if err != nil {
		return err
	}
	w.spoil(cloudsim.Fault{Kind: args[0], Times: n[0], Action: cloudsim.Throttling()})
	return nil
}

func (w *world) hang(args []string) error {
	hung := make(chan struct{})
	var once sync.Once
	w.hung = hung
	w.spoil(cloudsim.Fault{Kind: args[0], Action: func(_ http.ResponseWriter, r *http.Request, _ http.Handler) {
		once.Do(func() { close(hung) })
		<-r.Context().Done()
	}})
	return nil
}

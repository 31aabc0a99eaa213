package cli

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"reflect"
	"regexp"
	"slices"
	"strings"

	"go.yaml.in/yaml/v3"

	"transship/internal/clouds"
	"transship/internal/ref"
)

// defaultConfig is the file that is read where it exists and no other is named.
const defaultConfig = "transship.yaml"

// file is what transship.yaml can say. Whatever a flag says, it can say too; a flag wins. The doc tags make
// docs/configuration.md.
type file struct {
	From             []string  `yaml:"from" doc:"ECR registries to migrate from, by host name. The short form of sources."`
	Sources          []origin  `yaml:"sources" doc:"ECR registries to migrate from, with what it takes to reach them."`
	To               string    `yaml:"to" doc:"Where to: LOCATION-docker.pkg.dev/PROJECT/REPOSITORY, with an image path behind it if wanted. Source repository X becomes TO/X where no mapping says otherwise."`
	Impersonate      string    `yaml:"impersonate" doc:"E-mail of the Google service account to act as at the target."`
	Mappings         []mapping `yaml:"mappings" doc:"Where repositories go that do not go to TO/NAME. The first match wins. A rule that decides about no repository is an error."`
	Include          []string  `yaml:"include" doc:"Only repositories that match one of these patterns, on NAME or HOST/NAME. * stands for anything within a path segment, ** for anything."`
	Exclude          []string  `yaml:"exclude" doc:"No repositories that match one of these patterns."`
	Tags             []string  `yaml:"tags" doc:"Only tags that match one of these patterns. Whatever a chosen image needs comes along."`
	Newest           int       `yaml:"newest" doc:"Only so many images of each repository, those pushed last."`
	PushedSince      string    `yaml:"pushed-since" doc:"Only what was pushed since: a date, or a duration such as 30d."`
	PulledSince      string    `yaml:"pulled-since" doc:"Only what was pulled since: a date, or a duration such as 30d."`
	OlderVersions    int       `yaml:"older-versions" doc:"Also so many images that were pushed before each one that is taken."`
	WithoutReferrers bool      `yaml:"without-referrers" doc:"Leave out signatures, SBOMs and what else only describes images."`
	TaggedOnly       bool      `yaml:"tagged-only" doc:"Leave out untagged images that nothing else needs."`
	PullThrough      bool      `yaml:"pull-through" doc:"Take repositories that ECR fills from another registry, too."`
	Waves            []wave    `yaml:"waves" doc:"Named parts of the migration that move together: --wave NAME."`
	Wave             string    `yaml:"wave" doc:"The wave to work on where --wave names none."`
	Workspace        string    `yaml:"workspace" doc:"Folder for the migration's documents; transship by default."`
	Overwrite        bool      `yaml:"overwrite" doc:"Move tags that somebody else moved at the target."`
	Deep             bool      `yaml:"deep" doc:"Ask for every blob of every image when verifying."`
	JSON             bool      `yaml:"json" doc:"Print results as JSON."`
	Yes              bool      `yaml:"yes" doc:"Do not ask before changing anything."`
	Verbose          bool      `yaml:"verbose" doc:"Log every request; show long lists whole."`
	LogFormat        string    `yaml:"log-format" doc:"Format of the log: text or json."`

	Layout          string `yaml:"layout" doc:"single: everything goes where to and mappings lead, as by default. grouped: repositories that can share settings go together, into as few Artifact Registry repositories as that takes; mappings still win. The workspace keeps the groups."`
	Cleanup         string `yaml:"cleanup" doc:"What becomes of lifecycle policies: translate (into clean-up policies in dry run, where that is right; the default), standard (untagged images go after 7 days, the newest 10 stay), none."`
	LeaveOutExpired bool   `yaml:"leave-out-expired" doc:"Leave out images that ECR's lifecycle policies would delete today."`
	Keys            []key  `yaml:"keys" doc:"Keys of Cloud KMS for the target repositories, by the source repositories that go there. A repository gets its key when it is created, and never another."`
	Principals      string `yaml:"principals" doc:"The principals.yaml that provision --iam drafts, filled in: which Google members stand for which AWS principals. The plan and generate terraform follow it."`
	AllowPublic     bool   `yaml:"allow-public" doc:"Let everyone read what everyone may read in ECR, where a reviewed file says so."`
	NoGuards        bool   `yaml:"no-guards" doc:"Leave the settings that guard images alone: ask ECR for none, and set none."`

	Prices    []price `yaml:"prices" doc:"Prices for the estimate in place of the list prices that it knows. The first that matches counts."`
	Bandwidth string  `yaml:"bandwidth" doc:"What the estimate takes as the bandwidth of one machine: 50MB or 50MiB (bytes), 400Mbit (bits) a second. Without it, what the last copy reached, or else 1 Gbit."`

	First []string `yaml:"first" doc:"What copy and migrate bring before the rest: files that list references, one a line, or manifests, or folders of them, that name images of the sources."`

	Plan         string   `yaml:"plan" doc:"The plan that copy works by, in place of the workspace's: a file that is only read."`
	Shard        string   `yaml:"shard" doc:"Which part of the plan copy takes on one of several machines: I/N, I from 0. Rather a flag, since it differs from machine to machine."`
	Shards       int      `yaml:"shards" doc:"How many machines copy the plan, each its part. Which part, JOB_COMPLETION_INDEX says; the environment of a Cloud Run job or an AWS Batch array says both by itself."`
	Sync         bool     `yaml:"sync" doc:"A sync runs beside the migration, or will: migrate leaves tags as they can be moved. An interval or events say so, too."`
	Interval     string   `yaml:"interval" doc:"How often sync looks at both sides; 5m by default."`
	Events       []string `yaml:"events" doc:"URLs of the SQS queues that EventBridge puts ECR's events into; each in the account and region of a source."`
	DeleteTags   bool     `yaml:"delete-tags" doc:"Take away tags at the target that sync wrote, nobody moved since, and somebody deleted at the source."`
	MaxDeletions int      `yaml:"max-deletions" doc:"Take away up to so many tags in one cycle, whatever share of all that is. Without it, more than ten at once that are more than a tenth are held."`
	VerifyEvery  string   `yaml:"verify-every" doc:"How often sync verifies everything rather than what changed; 24h by default."`
	Listen       string   `yaml:"listen" doc:"Address on which sync serves /metrics, /healthz and /readyz, such as :8080; none by default."`

	Switched        string   `yaml:"switched" doc:"Since when nobody should pull from ECR any more, as cutover asks: a date, a time, or a duration before now such as 30d. Rather a flag: cutover.json remembers it."`
	Canary          []string `yaml:"canary" doc:"Images that cutover pulls on trial, as REPOSITORY:TAG in ECR."`
	Nodes           string   `yaml:"nodes" doc:"E-mail of the Google service account that the nodes pull as: cutover pulls on trial as that."`
	Cluster         []string `yaml:"cluster" doc:"Files in which cutover looks for what clusters use, as kubectl get -A -o json writes them."`
	QuietFor        string   `yaml:"quiet-for" doc:"For how long nobody may have pulled from ECR or pushed to it before cutover --leave lets it go; 30d by default."`
	WithoutArchived bool     `yaml:"without-archived" doc:"Archived images that are not at the target stay behind when ECR is left: somebody decided so."`

	MaxRequestsPerSecond float64 `yaml:"max-requests-per-second" doc:"At most so many requests a second to each host."`
	MaxConcurrency       int     `yaml:"max-concurrency" doc:"At most so many requests under way to each host."`
	MaxBandwidth         string  `yaml:"max-bandwidth" doc:"Read layers at this rate at most, from all sources together: 50MB or 50MiB (bytes), 400Mbit (bits) a second."`
	RetryHorizon         string  `yaml:"retry-horizon" doc:"How long an operation keeps trying without success before it is given up: 90s, 10m, 2h. 10m by default."`
	ImageTimeout         string  `yaml:"image-timeout" doc:"How long copy and migrate give one image with all that it needs, waits included; none by default. An image that takes longer fails, and others go on."`
}

// origin is one entry of sources.
type origin struct {
	Host        string `yaml:"host" doc:"Host name of the registry, in any form: FIPS and dual-stack hosts are reached as such."`
	Account     string `yaml:"account" doc:"AWS account of 12 digits, in quotes, in place of host."`
	Region      string `yaml:"region" doc:"AWS region, beside account."`
	Profile     string `yaml:"profile" doc:"Profile of the AWS configuration to use."`
	RoleARN     string `yaml:"role_arn" doc:"Role to assume in the registry's account."`
	ExternalID  string `yaml:"external_id" doc:"External id that the role's trust policy asks for."`
	WebIdentity string `yaml:"web_identity" doc:"google: assume role_arn with the Google identity of this machine, where there are no AWS credentials."`
}

// mapping is one entry of mappings.
type mapping struct {
	From string `yaml:"from" doc:"Pattern on NAME or HOST/NAME."`
	To   string `yaml:"to" doc:"Target. /** at its end takes what the ** of from matched; a from without wildcards and a to that names an image is a renaming; otherwise NAME is appended."`
}

// key is one entry of keys.
type key struct {
	From string `yaml:"from" doc:"Pattern on NAME or HOST/NAME of source repositories."`
	Key  string `yaml:"key" doc:"Name of the key; it must be in the target's location."`
}

// price is one entry of prices.
type price struct {
	Egress  string   `yaml:"egress" doc:"Pattern on AWS regions that layers leave."`
	Storage string   `yaml:"storage" doc:"Pattern on locations of Artifact Registry, in place of egress."`
	PerGB   *float64 `yaml:"per-gb" doc:"US dollars a GB; of storage, a month."`
}

// wave is one entry of waves.
type wave struct {
	Name    string   `yaml:"name" doc:"What --wave calls it."`
	Include []string `yaml:"include" doc:"Patterns of the repositories that belong to it."`
	Exclude []string `yaml:"exclude" doc:"Patterns of those that do not, after all."`
}

// config is a file with where its entries stand.
type config struct {
	file
	path  string
	lines map[string][]int // of the entries of each list, by its key
}

// line says where entry i of the list called key stands, for an error.
func (c config) line(key string, i int) string {
	if lines := c.lines[key]; i < len(lines) {
		return fmt.Sprintf("%s:%d", c.path, lines[i])
	}
	return c.path
}

// readConfig reads the file at path. A missing file is an error only where the user named it.
func readConfig(path string) (config, error) {
	named := path != ""
	if !named {
		path = defaultConfig
	}
	b, err := os.ReadFile(path)
	if errors.Is(err, fs.ErrNotExist) && !named {
		return config{path: path}, nil
	}
	if err != nil {
		return config{}, usagef("the configuration cannot be read: %w", err)
	}
	c, err := parseConfig(b)
	c.path = path
	if err != nil {
		return config{}, usagef("%s: %w", path, err)
	}
	return c, nil
}

// unknownKey is how the YAML library words a key that a type does not have.
var unknownKey = regexp.MustCompile(`line (\d+): field (\S+) not found in type cli\.(\w+)`)

// parseConfig reads the text of a configuration. An unknown key is an error with its line.
func parseConfig(b []byte) (config, error) {
	c := config{lines: map[string][]int{}}
	d := yaml.NewDecoder(bytes.NewReader(b))
	d.KnownFields(true)
	if err := d.Decode(&c.file); err != nil && !errors.Is(err, io.EOF) {
		if m := unknownKey.FindStringSubmatch(err.Error()); m != nil {
			return config{}, fmt.Errorf("line %s: unknown key %q (known: %s)", m[1], m[2], strings.Join(knownKeys(m[3]), ", "))
		}
		return config{}, errors.New(configError(err))
	}
	if err := d.Decode(new(yaml.Node)); !errors.Is(err, io.EOF) {
		return config{}, errors.New("there is a second document behind ---: one file is one configuration")
	}
	var root yaml.Node
	if err := yaml.Unmarshal(b, &root); err == nil && len(root.Content) == 1 && root.Content[0].Kind == yaml.MappingNode {
		pairs := root.Content[0].Content
		for i := 0; i+1 < len(pairs); i += 2 {
			for _, entry := range pairs[i+1].Content {
				c.lines[pairs[i].Value] = append(c.lines[pairs[i].Value], entry.Line)
			}
		}
	}
	return c, nil
}

// knownKeys are the keys of the named type, sorted.
func knownKeys(name string) (keys []string) {
	for _, v := range []any{file{}, origin{}, mapping{}, key{}, wave{}, price{}} {
		if t := reflect.TypeOf(v); t.Name() == name {
			for i := range t.NumField() {
				keys = append(keys, t.Field(i).Tag.Get("yaml"))
			}
		}
	}
	slices.Sort(keys)
	return keys
}

// source is one registry and how to reach it.
type source struct {
	registry ref.Registry
	form     ref.HostForm
	origin   origin
}

// options say how the source is reached.
func (s source) options() clouds.SourceOptions {
	return clouds.SourceOptions{Profile: s.origin.Profile, RoleARN: s.origin.RoleARN, ExternalID: s.origin.ExternalID, WebIdentity: s.origin.WebIdentity}
}

// sourcesOf reads from and sources.
func (c config) sourcesOf() ([]source, error) {
	var out []source
	seen := map[ref.Registry]string{}
	add := func(where string, r ref.Registry, form ref.HostForm, o origin) error {
		if before, twice := seen[r]; twice {
			return usagef("%s: the registry %s is named twice, here and in %s", where, r, before)
		}
		seen[r] = where
		out = append(out, source{r, form, o})
		return nil
	}
	for _, host := range c.From {
		r, form, err := ref.ParseRegistry(host)
		if err != nil {
			return nil, usagef("--from: %w", err)
		}
		if err := add("--from", r, form, origin{}); err != nil {
			return nil, err
		}
	}
	for i, o := range c.Sources {
		where := c.line("sources", i)
		r, form, err := o.registry()
		if err != nil {
			return nil, usagef("%s: %w", where, err)
		}
		if err := add(where, r, form, o); err != nil {
			return nil, err
		}
	}
	return out, nil
}

// is reports whether host names this source.
func (o origin) is(host string) bool {
	mine, _, err := o.registry()
	other, _, otherErr := ref.ParseRegistry(host)
	return err == nil && otherErr == nil && mine == other
}

func (o origin) registry() (ref.Registry, ref.HostForm, error) {
	if o.WebIdentity != "" && (o.WebIdentity != "google" || o.RoleARN == "") {
		return ref.Registry{}, ref.HostForm{}, errors.New("web_identity must be google, and needs a role_arn")
	}
	switch {
	case o.Host != "" && o.Account+o.Region != "":
		return ref.Registry{}, ref.HostForm{}, errors.New("a source has either host, or account and region")
	case o.Host != "":
		return ref.ParseRegistry(o.Host)
	default:
		r := ref.Registry{Account: o.Account, Region: o.Region}
		return r, ref.HostForm{}, r.Validate()
	}
}

// rules makes the mapping, with to as the default target.
func (c config) rules() (ref.Mapping, error) {
	var m ref.Mapping
	if c.To != "" {
		t, err := ref.ParseTarget(c.To)
		if err != nil {
			return m, usagef("--to: %w", err)
		}
		m.Default = t
	}
	for i, entry := range c.Mappings {
		r, err := ref.ParseRule(entry.From, entry.To)
		if err != nil {
			return m, usagef("%s: %w", c.line("mappings", i), err)
		}
		r.Place = c.line("mappings", i)
		m.Rules = append(m.Rules, r)
	}
	return m, nil
}

// wavesOf reads the waves.
func (c config) wavesOf() ([]ref.Wave, error) {
	var out []ref.Wave
	for i, entry := range c.Waves {
		where := c.line("waves", i)
		if !waveName.MatchString(entry.Name) {
			return nil, usagef("%s: %q is no name for a wave: letters, digits, - and _", where, entry.Name)
		}
		if slices.ContainsFunc(out, func(w ref.Wave) bool { return w.Name == entry.Name }) {
			return nil, usagef("%s: there are two waves called %s", where, entry.Name)
		}
		if len(entry.Include) == 0 {
			return nil, usagef("%s: the wave %s is empty: give it patterns under include", where, entry.Name)
		}
		w, err := ref.ParseWave(entry.Name, entry.Include, entry.Exclude)
		if err != nil {
			return nil, usagef("%s: %w", where, err)
		}
		out = append(out, w)
	}
	return out, nil
}

// waveName is what a wave may be called: it names a folder of the workspace.
var waveName = regexp.MustCompile(`^[A-Za-z0-9][A-Za-z0-9_-]{0,62}$`)

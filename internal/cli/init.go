package cli

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"transship/internal/cli/term"
	"transship/internal/clouds"
	"transship/internal/ref"
	"transship/internal/registry"
)

// seeing is how long init looks around.
const seeing = 20 * time.Second

// newInit returns the command that writes a configuration to begin with.
func newInit(a *app) *cobra.Command {
	var force bool
	cmd := &cobra.Command{
		Use:   "init",
		Short: "Write a commented transship.yaml from what can be seen",
		Long: `Write a configuration to begin with: the sources and the target of the flags, or
the account and region of the AWS credentials and the project of gcloud, with
every other setting commented out and explained. What is only a guess is
commented out too. A file that exists is kept, unless --force is given.

Changes nothing on either side: it asks AWS who the caller is, and ECR for the
names of its repositories.`,
		Example: `  transship init
  transship init --from 123456789012.dkr.ecr.us-east-1.amazonaws.com \
    --to us-docker.pkg.dev/my-gcp-project/app-images
  transship init --config staging.yaml`,
		Args: noArguments,
		RunE: func(cmd *cobra.Command, _ []string) error {
			path := cmp.Or(a.flags.config, defaultConfig)
			if _, err := os.Lstat(path); err == nil && !force {
				return usagef("%s exists already: remove it, name another with --config, or overwrite it with --force", path)
			}
			t, err := a.look(cmd.Context())
			if err != nil {
				return err
			}
			if err := cmd.Context().Err(); err != nil {
				return err
			}
			if err := create(path, t.text(), force); err != nil {
				return err
			}
			return a.written(path, t)
		},
	}
	cmd.Flags().BoolVar(&force, "force", false, "overwrite a file that exists")
	return cmd
}

// create writes the file, and keeps one that came meanwhile.
func create(path, text string, force bool) error {
	flag := os.O_WRONLY | os.O_CREATE | os.O_EXCL
	if force {
		flag = os.O_WRONLY | os.O_CREATE | os.O_TRUNC
	}
	f, err := os.OpenFile(path, flag, 0o644)
	if errors.Is(err, fs.ErrExist) {
		return usagef("%s exists already", path)
	}
	if err != nil {
		return fmt.Errorf("write the configuration: %w", err)
	}
	_, err = f.WriteString(text)
	if err := errors.Join(err, f.Close()); err != nil {
		return fmt.Errorf("write the configuration: %w", err)
	}
	return nil
}

// written says what came of it, and what to do next.
func (a *app) written(path string, t template) error {
	if a.flags.json {
		return encode(a.streams.Out, struct {
			Path       string   `json:"path"`
			From       []string `json:"from"`
			To         string   `json:"to,omitempty"`
			ProposedTo string   `json:"proposedTo,omitempty"`
		}{path, append([]string{}, t.from...), t.to, t.proposedTo})
	}
	var b strings.Builder
	fmt.Fprintf(&b, "Written to %s.\n", term.Clean(path))
	for _, s := range t.seen {
		fmt.Fprintf(&b, "  %s\n", term.Clean(s))
	}
	b.WriteString("\nNext:\n")
	step := func(format string, v ...any) { fmt.Fprintf(&b, "  "+format+"\n", v...) }
	if len(t.from) == 0 {
		step("edit %s: say where from", term.Clean(path))
	}
	if t.to == "" {
		step("edit %s: say where to", term.Clean(path))
	}
	config := ""
	if path != defaultConfig {
		config = " --config " + term.Clean(path)
	}
	step("transship doctor%s      what is still missing", config)
	step("transship inventory%s   what is there", config)
	_, err := a.streams.Out.Write([]byte(b.String()))
	return err
}

// look finds out what the configuration can begin with. It is an error only where a flag is wrong: what cannot be seen
// is left out.
func (a *app) look(ctx context.Context) (template, error) {
	ctx, cancel := context.WithTimeout(ctx, seeing)
	defer cancel()
	t := template{to: a.flags.to, other: file{Include: a.flags.include, Exclude: a.flags.exclude, Workspace: a.flags.workspace}}
	if _, err := ref.ParseScope(a.flags.include, a.flags.exclude); err != nil {
		return t, usagef("--%w", err)
	}
	if t.to != "" {
		if _, err := ref.ParseTarget(t.to); err != nil {
			return t, usagef("--to: %w", err)
		}
	}
	o := a.clouds
	o.Logger = a.logger()
	if o.Getenv == nil {
		o.Getenv = a.getenv
	}
	var first ref.Registry
	var form ref.HostForm
	for _, host := range a.flags.from {
		r, f, err := ref.ParseRegistry(host)
		if err != nil {
			return t, usagef("--from: %w", err)
		}
		if len(t.from) == 0 {
			first, form = r, f
		}
		t.from = append(t.from, r.HostIn(f))
	}
	if len(t.from) == 0 {
		r, who, err := clouds.Here(ctx, o)
		if err != nil {
			t.seen = append(t.seen, "AWS: nothing could be seen: "+short(err))
		} else {
			first, t.from = r, []string{r.Host()}
			t.seen = append(t.seen, fmt.Sprintf("AWS: %s, in %s.", who, r.Region))
		}
	}
	if first != (ref.Registry{}) {
		a.names(ctx, &t, first, form, o)
	}
	if project := clouds.GoogleProject(o); t.to == "" && project != "" {
		t.proposedTo = proposal(first, project)
		if t.proposedTo != "" {
			t.seen = append(t.seen, fmt.Sprintf("Google: the project %s; %s is a proposal.", project, t.proposedTo))
		}
	}
	return t, nil
}

// names looks at the repositories, for a proposal of waves.
func (a *app) names(ctx context.Context, t *template, r ref.Registry, form ref.HostForm, o clouds.Options) {
	source, err := clouds.OpenSource(ctx, r, form, o)
	if err == nil {
		var names []string
		if names, err = source.Names(ctx); err == nil {
			t.prefixes = prefixesOf(names)
			t.seen = append(t.seen, fmt.Sprintf("ECR: %s in %s.", count(len(names)), r.Host()))
		}
	}
	if err != nil {
		t.seen = append(t.seen, "ECR: the repositories could not be listed: "+short(err))
	}
}

func count(n int) string {
	if n == 1000 {
		return "1,000 repositories or more"
	}
	return term.Count(n, "repository")
}

// short is an error without its remedy, which doctor gives.
func short(err error) string {
	text := err.Error()
	if e, ok := errors.AsType[*registry.Error](err); ok && e.Err != nil {
		text = e.Err.Error()
	}
	return strings.TrimSuffix(term.Clean(text), ".") + "."
}

// proposal is a target in the part of the world where the registry is; empty where the project's name cannot be one.
func proposal(r ref.Registry, project string) string {
	location := "us"
	switch part, _, _ := strings.Cut(r.Region, "-"); part {
	case "eu", "me", "af", "il":
		location = "europe"
	case "ap", "cn":
		location = "asia"
	}
	t := ref.TargetRepository{Location: location, Project: project, ID: "app-images"}
	if t.Validate() != nil {
		return ""
	}
	return t.String()
}

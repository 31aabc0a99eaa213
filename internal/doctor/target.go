package doctor

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"transship/internal/clouds"
	"transship/internal/ref"
	"transship/internal/registry"
	"transship/internal/registry/gar"
)

const (
	apiHost = "artifactregistry.googleapis.com"
	noNames = "this machine cannot look up Google's names: check the DNS server, the proxy, and Private Google Access"
)

// destination is the target under examination.
type destination struct {
	*examiner
	probe *gar.Probe
	hosts []string // of the data planes
}

// target examines Artifact Registry.
func (x *examiner) target(ctx context.Context) Group {
	var names []string
	d := &destination{examiner: x}
	for _, r := range x.Targets {
		names = append(names, r.String())
		if !slices.Contains(d.hosts, r.Host()) {
			d.hosts = append(d.hosts, r.Host())
		}
	}
	g := Group{Side: SideTarget, Subject: strings.Join(names, ", ")}
	looks := x.looks(ctx, append([]string{apiHost}, d.hosts...))
	reach := x.network(looks, noNames, func(string) bool { return false })
	g.Checks = append(g.Checks, reach, x.clock(looks))
	o := x.Clouds
	o.Target.Hosts = d.hosts
	opened, err := clouds.OpenTarget(ctx, o)
	switch {
	case err != nil:
		g.Checks = append(g.Checks, explain("credentials", err))
	case reach.Status == Fail:
		g.Checks = append(g.Checks, skipped("credentials", "the network comes first"))
	default:
		d.probe = opened.Probe(x.prober)
		g.Checks = append(g.Checks, within(ctx, d.credentials))
	}
	if last := g.Checks[len(g.Checks)-1]; last.Status == Fail || last.Status == Skip {
		g.Checks = append(g.Checks, skipped("permissions", "they cannot be asked for without credentials"))
		return g
	}
	g.Checks = append(g.Checks, d.quota())
	for _, host := range d.hosts {
		g.Checks = append(g.Checks, within(ctx, func(ctx context.Context) Check { return d.ping(ctx, host) }))
	}
	for _, r := range x.Targets {
		g.Checks = append(g.Checks, d.repository(ctx, r)...)
	}
	return g
}

// credentials says whose they are, and gets a token.
func (d *destination) credentials(ctx context.Context) Check {
	if _, err := clouds.Credential(ctx, d.probe, d.hosts[0]); err != nil {
		return explain("credentials", err)
	}
	text := d.probe.Origin()
	owner := gar.Whose(d.Getenv)
	if d.Clouds.Target.Impersonate == "" {
		if name := d.probe.Email(ctx, d.hosts[0]); name != "" {
			text = name + ", by " + text
		} else if owner.Name != "" {
			text = owner.Name + ", by " + text
		}
	}
	return passed("credentials", text)
}

// quota says to whose account requests go.
func (d *destination) quota() Check {
	owner := gar.Whose(d.Getenv)
	switch {
	case owner.Kind != gar.KindUser:
		return passed("quota project", "that of the credentials")
	case owner.QuotaProject == "":
		return warned("quota project", "the credentials of a user name none: Google counts requests against a shared one, and refuses some",
			"gcloud auth application-default set-quota-project "+d.Targets[0].Project)
	}
	return passed("quota project", owner.QuotaProject)
}

// ping shows the token to a data plane.
func (d *destination) ping(ctx context.Context, host string) Check {
	authorize, err := clouds.Credential(ctx, d.probe, host)
	if err == nil {
		err = d.prober.Ping(ctx, registry.Target, host, authorize)
	}
	if err == nil {
		return passed("data plane", host+" takes the token")
	}
	c := explain("data plane", err)
	if len(c.Remedy) == 0 && registry.IsClass(err, registry.Unauthorized) {
		c.Detail = host + " refuses the token: " + c.Detail
		c.Remedy = []string{d.renew()}
	}
	return c
}

// renew is how the present kind of credentials is replaced.
func (d *destination) renew() string {
	if gar.Whose(d.Getenv).Kind == gar.KindToken {
		return fmt.Sprintf("the token of %s is wrong or has expired (it lives 60 minutes): export %s=$(gcloud auth print-access-token)", gar.EnvToken, gar.EnvToken)
	}
	return "gcloud auth application-default login"
}

// repository examines one repository and what the caller may do there.
func (d *destination) repository(ctx context.Context, r ref.TargetRepository) []Check {
	ctx, cancel := context.WithTimeout(ctx, 2*patience)
	defer cancel()
	name := "repository " + r.ID
	found, err := d.probe.Repository(ctx, r)
	if err == nil {
		return append([]Check{suitable(name, r, found)}, d.permissions(ctx, r)...)
	}
	if check, is := d.wholly(err, r); is {
		return []Check{check, skipped("permissions", "they cannot be asked for before that")}
	}
	missing := registry.IsClass(err, registry.NoRepository)
	if registry.IsClass(err, registry.Denied) {
		if listed, listErr := d.probe.Listed(ctx, r); listErr == nil {
			missing = !listed
		}
	}
	if missing {
		return []Check{d.missing(ctx, name, r), skipped("permissions", "they cannot be asked for before the repository exists")}
	}
	c := explain(name, err, "gcloud artifacts repositories describe "+r.ID+" --location="+r.Location+" --project="+r.Project, grant(r, "roles/artifactregistry.writer"))
	c.Detail = "the caller may not see it, if it exists: " + c.Detail
	return append([]Check{c}, d.permissions(ctx, r)...)
}

// wholly says what stops everything in the project, or whether the credentials do.
func (d *destination) wholly(err error, r ref.TargetRepository) (Check, bool) {
	switch gar.Reason(err) {
	case "SERVICE_DISABLED":
		return failed("API", "the Artifact Registry API is not enabled in the project "+r.Project,
			"gcloud services enable "+apiHost+" --project="+r.Project), true
	case "BILLING_DISABLED":
		return failed("API", "billing is not enabled for the project "+r.Project, "gcloud billing projects link "+r.Project+" --billing-account=ACCOUNT"), true
	case "USER_PROJECT_DENIED", "CONSUMER_INVALID":
		return failed("quota project", inner(err).Error(), "gcloud auth application-default set-quota-project "+r.Project), true
	}
	switch registry.ClassOf(err) {
	case registry.Unauthorized:
		return explain("credentials", err), true
	case registry.Denied, registry.NoRepository:
		return Check{}, false
	}
	return explain("API", err), true
}

// suitable says whether images can be pushed to the repository.
func suitable(name string, r ref.TargetRepository, found gar.Repository) Check {
	switch {
	case found.Format != "DOCKER":
		return failed(name, fmt.Sprintf("%s is of format %s, which takes no images", r, found.Format), "name another repository in --to, or in the mapping")
	case found.Mode != "" && found.Mode != "STANDARD_REPOSITORY" && found.Mode != "MODE_UNSPECIFIED":
		return failed(name, fmt.Sprintf("%s is a %s, which takes no pushes", r, found.Mode), "name a standard repository in --to, or in the mapping")
	case found.ImmutableTags:
		return warned(name, "it exists, and its tags are immutable: a tag that moves in ECR cannot follow", fmt.Sprintf(
			"gcloud artifacts repositories update %s --location=%s --project=%s --no-immutable-tags", r.ID, r.Location, r.Project))
	}
	return passed(name, "it exists, of format DOCKER, in "+r.Location)
}

// missing says whether provision could create the repository.
func (d *destination) missing(ctx context.Context, name string, r ref.TargetRepository) Check {
	create := fmt.Sprintf("gcloud artifacts repositories create %s --repository-format=docker --location=%s --project=%s", r.ID, r.Location, r.Project)
	denied, err := d.probe.MissingOnProject(ctx, r, []string{gar.PermissionCreate})
	switch {
	case err != nil:
		return warned(name, r.String()+" does not exist; whether the caller may create it cannot be told", "transship provision", create)
	case len(denied) > 0:
		return failed(name, r.String()+" does not exist, and the caller lacks "+gar.PermissionCreate+" to create it",
			"have it created: "+create,
			fmt.Sprintf("or allow it: gcloud projects add-iam-policy-binding %s --member=MEMBER --role=roles/artifactregistry.admin", r.Project))
	}
	return warned(name, r.String()+" does not exist yet; the caller may create it", "transship provision")
}

// permissions asks which the caller has on the repository.
func (d *destination) permissions(ctx context.Context, r ref.TargetRepository) []Check {
	var names []string
	for _, p := range gar.Permissions() {
		if !p.Project {
			names = append(names, p.Name)
		}
	}
	if d.DeleteTags {
		names = append(names, gar.PermissionUntag)
	}
	denied, err := d.probe.Missing(ctx, r, names)
	if err != nil {
		c := explain("permissions", err)
		c.Status, c.Detail = Warn, "they could not be asked for: "+c.Detail
		return []Check{c}
	}
	var out []Check
	for _, p := range gar.Permissions() {
		switch {
		case p.Project:
		case p.Optional && slices.Contains(denied, p.Name):
			out = append(out, warned(p.Name, "denied on "+r.ID+": it is what it takes to "+p.Why, grant(r, "roles/artifactregistry.admin")))
		case slices.Contains(denied, p.Name):
			role := "roles/artifactregistry.reader"
			if strings.HasSuffix(p.Name, ".uploadArtifacts") {
				role = "roles/artifactregistry.writer"
			}
			out = append(out, failed(p.Name, "denied on "+r.ID+": it is what it takes to "+p.Why, grant(r, role)))
		default:
			out = append(out, passed(p.Name, "allowed on "+r.ID))
		}
	}
	switch {
	case !d.DeleteTags:
	case slices.Contains(denied, gar.PermissionUntag):
		out = append(out, failed(gar.PermissionUntag, "denied on "+r.ID+": it is what it takes to follow deletions of tags (delete-tags)",
			`"transship generate permissions --google" has a role with it alone`))
	default:
		out = append(out, passed(gar.PermissionUntag, "allowed on "+r.ID))
	}
	return out
}

func grant(r ref.TargetRepository, role string) string {
	return fmt.Sprintf("gcloud artifacts repositories add-iam-policy-binding %s --location=%s --project=%s --member=MEMBER --role=%s", r.ID, r.Location, r.Project, role)
}

package doctor

import (
	"cmp"
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"slices"

	"transship/internal/clouds"
	"transship/internal/ref"
	"transship/internal/registry"
	"transship/internal/registry/ecr"
)

// patient is one source under examination.
type patient struct {
	*examiner
	Source
	opened    *clouds.Source
	control   *ecr.Registry
	caller    ecr.Identity
	authorize func(*http.Request) // nil where there is no token
}

// source examines one registry.
func (x *examiner) source(ctx context.Context, s Source) Group {
	g := Group{Side: SideSource, Subject: s.Registry.HostIn(s.Form)}
	o := x.Clouds
	o.Source = s.As
	opened, err := clouds.OpenSource(ctx, s.Registry, s.Form, o)
	if err != nil {
		g.Checks = []Check{explain("credentials", err), skipped("permissions", "they cannot be asked for without credentials")}
		return g
	}
	p := &patient{examiner: x, Source: s, opened: opened, control: opened.Control()}
	looks := x.looks(ctx, p.hosts(ctx))
	reach := x.network(looks, p.nowhere(), func(host string) bool { return host == s.Registry.LayersHost() })
	g.Checks = append(g.Checks, reach, x.clock(looks))
	if reach.Status == Fail {
		g.Checks = append(g.Checks, skipped("credentials", "the network comes first"), skipped("permissions", "the network comes first"))
		return g
	}
	who := within(ctx, p.identity)
	g.Checks = append(g.Checks, who)
	if who.Status == Fail {
		g.Checks = append(g.Checks, skipped("permissions", "they cannot be asked for without credentials"))
		return g
	}
	token := within(ctx, p.token)
	g.Checks = append(g.Checks, token)
	if token.Status == Pass {
		g.Checks = append(g.Checks, within(ctx, p.ping))
	}
	g.Checks = append(g.Checks, p.permissions(ctx)...)
	g.Checks = append(g.Checks, within(ctx, p.pullTimes))
	for _, q := range x.Queues {
		if q.Registry() == s.Registry {
			g.Checks = append(g.Checks, within(ctx, func(ctx context.Context) Check { return p.queue(ctx, q, o) }))
		}
	}
	return g
}

// within gives one check its time.
func within(ctx context.Context, ask func(context.Context) Check) Check {
	return all(ctx, []func(context.Context) Check{ask})[0]
}

// hosts are those that a migration from the registry talks to.
func (p *patient) hosts(ctx context.Context) []string {
	hosts := []string{p.Registry.HostIn(p.Form), p.Registry.LayersHost()}
	if host := p.control.APIHost(ctx); host != "" {
		hosts = slices.Insert(hosts, 0, host)
	}
	return hosts
}

// nowhere is what to do about a host of the registry that does not resolve.
func (p *patient) nowhere() string {
	return fmt.Sprintf("AWS has no ECR in %s, or this machine cannot look up AWS's names: check the region, the DNS server, and the VPC endpoints (com.amazonaws.%s.ecr.api, .ecr.dkr, and the S3 gateway)",
		p.Registry.Region, p.Registry.Region)
}

// identity says who the caller is.
func (p *patient) identity(ctx context.Context) Check {
	var err error
	if p.caller, err = p.control.Identity(ctx); err != nil {
		c := explain("credentials", err)
		if class := registry.ClassOf(err); class != registry.Unauthorized && class != registry.Denied && class != registry.Invalid {
			c.Status = Warn // ECR may be reached where STS is not
			c.Remedy = append(c.Remedy, fmt.Sprintf("let this machine reach sts.%s.amazonaws.com, or add a VPC endpoint for STS", p.Registry.Region))
		}
		return c
	}
	text := p.caller.ARN
	if p.As.RoleARN != "" {
		text += ", by assuming " + p.As.RoleARN
	}
	if p.As.Profile != "" {
		text += ", with the profile " + p.As.Profile
	}
	if p.caller.Account != p.Registry.Account {
		text += fmt.Sprintf("; the registry belongs to account %s, whose repository policies must allow it", p.Registry.Account)
	}
	return passed("credentials", text)
}

// token gets what the data plane takes.
func (p *patient) token(ctx context.Context) Check {
	var err error
	if p.authorize, err = p.control.ProbeToken(ctx); err != nil {
		return p.denied(ecr.Actions()[0], "", err)
	}
	return passed(ecr.ActionToken, "allowed")
}

// ping shows the token to the data plane.
func (p *patient) ping(ctx context.Context) Check {
	host := p.Registry.HostIn(p.Form)
	if err := p.prober.Ping(ctx, registry.Source, host, p.authorize); err != nil {
		return explain("data plane", err, "the API gave a token that "+host+" refuses: check that nothing on the way changes the Authorization header")
	}
	return passed("data plane", host+" takes the token")
}

// permissions asks for each action on one repository of the scope.
func (p *patient) permissions(ctx context.Context) []Check {
	repository := p.example(ctx)
	var questions []func(context.Context) Check
	for _, a := range ecr.Actions() {
		if a.Name == ecr.ActionToken || a.Name == "ecr:ListPullTimeUpdateExclusions" {
			continue // asked on their own
		}
		questions = append(questions, func(ctx context.Context) Check { return p.permission(ctx, a, repository) })
	}
	return all(ctx, questions)
}

// example is a repository of the scope to ask about: policies may name repositories.
func (p *patient) example(ctx context.Context) string {
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	names, _ := p.control.SomeRepositories(ctx) // what that may be denied for is asked again, with its answer
	for _, name := range names {
		if p.Scope.Match(p.Registry.Repository(name)) {
			return name
		}
	}
	for _, g := range slices.Concat(p.Scope.Wave.Include, p.Scope.Include) {
		if g.Literal() && ref.ValidRepositoryName(g.String()) {
			return g.String()
		}
	}
	return ecr.ProbeRepository
}

func (p *patient) permission(ctx context.Context, a ecr.Action, repository string) Check {
	var err error
	switch {
	case a.Name == "ecr:GetDownloadUrlForLayer" && p.authorize == nil:
		return skipped(a.Name, "it is asked with a token, and there is none")
	case a.Name == "ecr:GetDownloadUrlForLayer":
		err = p.prober.Layer(ctx, p.Registry.Repository(repository), p.Form, p.authorize)
	default:
		err = p.control.Probe(ctx, a.Name, repository)
	}
	if err != nil {
		return p.denied(a, repository, err)
	}
	if a.Registry {
		return passed(a.Name, "allowed")
	}
	return passed(a.Name, "allowed on "+repository)
}

// denied says that an action is not allowed, or could not be asked for.
func (p *patient) denied(a ecr.Action, repository string, err error) Check {
	c := explain(a.Name, err)
	switch registry.ClassOf(err) {
	case registry.Denied:
		c.Detail = fmt.Sprintf("denied: it is what it takes to %s", a.Why)
		c.Remedy = nil
		if hint := registry.HintOf(err); hint != "" && hint != "allow "+a.Name { // that the statement says better
			c.Remedy = []string{hint}
		}
		c.Remedy = append(c.Remedy, p.statement(a, repository))
	case registry.Unauthorized:
	default:
		c.Status = Warn // nothing says that it would be denied
		c.Detail = "it could not be asked: " + c.Detail
	}
	if a.Optional {
		c.Status = Warn
	}
	return c
}

// statement is the piece of an IAM policy that allows the action.
func (p *patient) statement(a ecr.Action, repository string) string {
	resource := p.Registry.ARN("*")
	if a.Registry {
		resource = "*"
	}
	b, err := json.Marshal(struct {
		Effect, Action, Resource string
	}{"Allow", cmp.Or(a.Grant, a.Name), resource})
	if err != nil {
		return a.Name
	}
	return string(b)
}

// pullTimes says whether the migration's pulls would count as pulls. FACTS A1.
func (p *patient) pullTimes(ctx context.Context) Check {
	const name = "pull times"
	t, err := p.opened.PullTimes(ctx)
	switch {
	case err != nil:
		c := explain(name, err)
		c.Status, c.Detail = Warn, "it cannot be told whether ECR records the migration's pulls as pulls: "+c.Detail
		return c
	case t.Excluded:
		return passed(name, "ECR does not record those of "+t.Principal)
	}
	return warned(name, "ECR records the migration's pulls: that renews lifecycle rules on sinceImagePulled, and hides who still pulls", t.Exclude)
}

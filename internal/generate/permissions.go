// Package generate writes files for others to apply: the permissions that a migration needs, as policies and commands,
// what provision does, as Terraform, and what runs the copy and the sync in containers. It asks nothing, and changes
// nothing but the files.
//
// Vocabulary: a Policy is an IAM policy as AWS reads it. Permissions are all that a migration needs on both sides: the
// policy for each account, the trust policies of roles, the commands for Google. A Deployment is a migration with where
// its containers run. Its files are templates, which keep their comments; a test of the module in e2e reads what comes of
// them into the APIs' own types, which are too large to be the product's.
//
//	sources, targets, scope ─ Permissions ─→ policy.json, commands, docs/permissions.md
//	changes, grants ─ Terraform ─→ access.tf, imports.tf, repositories.tf, versions.tf
//	sources ─ Events ─→ ecr-events.tf, ecr-events-providers.tf
//	sources (Keyless), configuration ─ Deployment ─→ YAML for the platform, setup.sh, aws.sh, copy.sh, sync.sh
package generate

import (
	"cmp"
	"slices"
	"strings"

	"transship/internal/events"
	"transship/internal/ref"
	"transship/internal/registry/ecr"
)

// Source is a registry to migrate from, and the role that is assumed for it.
type Source struct {
	Registry    ref.Registry
	RoleARN     string // empty where none is
	ExternalID  string
	WebIdentity bool // the role is assumed with Google's ID token
}

// Migration is what permissions are for.
type Migration struct {
	Sources     []Source
	Targets     []ref.TargetRepository
	Scope       ref.Scope
	Impersonate string // e-mail of a Google service account; empty means none
	// Queues are those that the sync takes ECR's events from, each beside a source.
	Queues []events.Address
	// DeleteTags says that the sync takes tags away at the target.
	DeleteTags bool
}

// Statement is one of an IAM policy.
type Statement struct {
	Sid       string                       `json:"Sid,omitempty"`
	Effect    string                       `json:"Effect"`
	Principal map[string]string            `json:"Principal,omitempty"`
	Action    []string                     `json:"Action"`
	Resource  []string                     `json:"Resource,omitempty"`
	Condition map[string]map[string]string `json:"Condition,omitempty"`
}

// Policy is an IAM policy.
type Policy struct {
	Version   string      `json:"Version"`
	Statement []Statement `json:"Statement"`
}

const policyVersion = "2012-10-17"

// AccountPolicy is the policy for whoever reads the registries of one account.
type AccountPolicy struct {
	Account string `json:"account"`
	Role    string `json:"role,omitempty"` // the role that carries it; empty where none is assumed
	Policy  Policy `json:"policy"`
	Trust   Policy `json:"trust,omitzero"` // of the role
}

// AWS returns the least that reading the sources takes, one policy an account and role, sorted.
func (m Migration) AWS() []AccountPolicy {
	var out []AccountPolicy
	for _, s := range m.Sources {
		i := slices.IndexFunc(out, func(p AccountPolicy) bool { return p.Account == s.Registry.Account && p.Role == s.RoleARN })
		if i < 0 {
			i = len(out)
			out = append(out, AccountPolicy{Account: s.Registry.Account, Role: s.RoleARN, Policy: frame()})
			if s.RoleARN != "" {
				out[i].Trust = s.trust()
			}
		}
		st := out[i].Policy.Statement
		st[1].Resource = append(st[1].Resource, s.Registry.ARN("*"))
		st[2].Resource = append(st[2].Resource, m.resources(s.Registry)...)
		for _, q := range m.Queues {
			if q.Registry() == s.Registry {
				out[i].Policy.takeEvents(q)
			}
		}
	}
	slices.SortFunc(out, func(a, b AccountPolicy) int {
		return cmp.Or(strings.Compare(a.Account, b.Account), strings.Compare(a.Role, b.Role))
	})
	return out
}

// takeEvents adds a queue to the policy. It is read as the source is whose events it gets.
func (p *Policy) takeEvents(q events.Address) {
	if len(p.Statement) == 3 {
		p.Statement = append(p.Statement, Statement{Sid: "TransshipEvents", Effect: "Allow", Action: events.Actions()})
	}
	p.Statement[3].Resource = append(p.Statement[3].Resource, q.ARN())
}

// frame is the policy without its resources. Listing repositories is about all of them, whichever are migrated.
func frame() Policy {
	signIn := Statement{Sid: "TransshipRegistry", Effect: "Allow", Resource: []string{"*"}}
	list := Statement{Sid: "TransshipList", Effect: "Allow", Action: []string{"ecr:DescribeRepositories"}}
	read := Statement{Sid: "TransshipRead", Effect: "Allow"}
	for _, a := range ecr.Actions() {
		switch {
		case a.Grant != "" || slices.Contains(list.Action, a.Name):
		case a.Registry:
			signIn.Action = append(signIn.Action, a.Name)
		default:
			read.Action = append(read.Action, a.Name)
		}
	}
	return Policy{policyVersion, []Statement{signIn, list, read}}
}

// resources are the patterns of IAM for the repositories of r that the scope includes. IAM's * crosses slashes, so they
// may be wider than the scope, never narrower.
func (m Migration) resources(r ref.Registry) []string {
	include, _ := m.Scope.Texts()
	if wave, _ := m.Scope.Wave.Texts(); len(wave) > 0 && len(include) == 0 {
		include = wave
	}
	if len(include) == 0 {
		return []string{r.ARN("*")}
	}
	var out []string
	for _, pattern := range include {
		if host, name, ok := strings.Cut(pattern, "/"); ok && strings.Contains(host, ".dkr") {
			if named, _, err := ref.ParseRegistry(host); err == nil && named != r {
				continue
			}
			pattern = name
		}
		arn := r.ARN(strings.ReplaceAll(pattern, "**", "*"))
		if !slices.Contains(out, arn) {
			out = append(out, arn)
		}
	}
	if len(out) == 0 {
		return []string{r.ARN("*")}
	}
	return out
}

// trust lets the role be assumed. What is in capitals is for the reader to fill in.
func (s Source) trust() Policy {
	st := Statement{Sid: "TransshipAssume", Effect: "Allow"}
	if s.WebIdentity {
		st.Principal = map[string]string{"Federated": "accounts.google.com"}
		st.Action = []string{"sts:AssumeRoleWithWebIdentity"}
		st.Condition = map[string]map[string]string{"StringEquals": {
			"accounts.google.com:oaud": s.RoleARN,
			"accounts.google.com:sub":  "NUMERIC_ID_OF_THE_SERVICE_ACCOUNT",
		}}
		return Policy{policyVersion, []Statement{st}}
	}
	st.Principal = map[string]string{"AWS": "arn:" + s.Registry.Partition() + ":iam::CALLER_ACCOUNT:role/CALLER"}
	st.Action = []string{"sts:AssumeRole"}
	if s.ExternalID != "" {
		st.Condition = map[string]map[string]string{"StringEquals": {"sts:ExternalId": s.ExternalID}}
	}
	return Policy{policyVersion, []Statement{st}}
}

// Caller returns the policy for whoever assumes the roles with AWS credentials; it has no statement where there are no
// such roles.
func (m Migration) Caller() Policy {
	st := Statement{Sid: "TransshipAssume", Effect: "Allow", Action: []string{"sts:AssumeRole"}}
	for _, s := range m.Sources {
		if s.RoleARN != "" && !s.WebIdentity && !slices.Contains(st.Resource, s.RoleARN) {
			st.Resource = append(st.Resource, s.RoleARN)
		}
	}
	if len(st.Resource) == 0 {
		return Policy{Version: policyVersion}
	}
	slices.Sort(st.Resource)
	return Policy{policyVersion, []Statement{st}}
}

package generate

import (
	"encoding/json"
	"slices"
	"strconv"
	"strings"
)

// Account is the e-mail of the service account that writes to Artifact Registry.
func (d Deployment) Account() string {
	if d.Impersonate != "" {
		return d.Impersonate
	}
	return serviceAccount(defaultAccount, d.Project)
}

// Made is the name of the service account where it is ours to make; empty where the migration names one.
func (d Deployment) Made() string {
	if d.Impersonate != "" {
		return ""
	}
	return defaultAccount
}

// Scheduler is the e-mail of the service account as which Cloud Scheduler starts the sync, which is all that it may.
func (d Deployment) Scheduler() string { return serviceAccount(defaultAccount+"-scheduler", d.Project) }

// serviceAccount is the e-mail of a service account. In a project of a domain (example.com:my-project), the parts of its
// name change places. [D]
func serviceAccount(name, project string) string {
	if domain, rest, ok := strings.Cut(project, ":"); ok {
		project = rest + "." + domain
	}
	return name + "@" + project + ".iam.gserviceaccount.com"
}

// AWSRegion is where requests to AWS are signed for that are about no registry.
func (d Deployment) AWSRegion() string { return d.Sources[0].Registry.Region }

// Home is the AWS account that the pods' role is in.
func (d Deployment) Home() string { return d.Sources[0].Registry.Account }

// Partition is the second field of ARNs at home.
func (d Deployment) Partition() string { return d.Sources[0].Registry.Partition() }

// PodRole is the role of the pods on EKS.
func (d Deployment) PodRole() string { return roleARN(d.Sources[0].Registry, podRole) }

// Projects are those that the targets are in.
func (d Deployment) Projects() []string {
	var out []string
	for _, t := range d.Targets {
		if !slices.Contains(out, t.Project) {
			out = append(out, t.Project)
		}
	}
	return out
}

// Last is the index of the last shard.
func (d Deployment) Last() int { return d.Shards - 1 }

// Role is a role in AWS that has to be made.
type Role struct {
	Account string
	Name    string // without the path
	Path    string // begins and ends with a slash
	Trust   string // JSON; what is in capitals is put in by the script
	Policy  string // JSON
}

// Roles are the roles in AWS by which the sources are read, sorted.
func (d Deployment) Roles() []Role {
	var out []Role
	own := frame()
	own.Statement = nil
	for _, p := range d.AWS() {
		if p.Role == "" {
			own.Statement = append(own.Statement, p.Policy.Statement...)
			continue
		}
		if d.Platform == EKS {
			p.Trust.Statement[0].Principal = map[string]string{"AWS": d.PodRole()}
		}
		out = append(out, role(p.Account, p.Role, p.Trust, p.Policy))
	}
	if d.Platform != EKS {
		return out
	}
	own.Statement = append(own.Statement, d.Caller().Statement...)
	bucket := "arn:" + d.Partition() + ":s3:::" + d.Bucket
	own.Statement = append(own.Statement,
		Statement{Sid: "TransshipPlan", Effect: "Allow", Action: []string{"s3:ListBucket"}, Resource: []string{bucket}},
		Statement{Sid: "TransshipPlanFiles", Effect: "Allow", Action: []string{"s3:GetObject"}, Resource: []string{bucket + "/*"}})
	for i := range own.Statement { // several accounts' statements in one policy
		own.Statement[i].Sid += strconv.Itoa(i + 1)
	}
	return slices.Insert(out, 0, role(d.Home(), d.PodRole(), d.podTrust(), own))
}

// podTrust lets the pods' service account assume their role. OIDC_PROVIDER is the cluster's.
func (d Deployment) podTrust() Policy {
	return Policy{policyVersion, []Statement{{
		Sid: "TransshipPods", Effect: "Allow", Action: []string{"sts:AssumeRoleWithWebIdentity"},
		Principal: map[string]string{"Federated": "arn:" + d.Partition() + ":iam::" + d.Home() + ":oidc-provider/OIDC_PROVIDER"},
		Condition: map[string]map[string]string{"StringEquals": {
			"OIDC_PROVIDER:aud": "sts.amazonaws.com",
			"OIDC_PROVIDER:sub": "system:serviceaccount:" + d.Namespace + ":transship",
		}},
	}}}
}

func role(account, arn string, trust, policy Policy) Role {
	_, name, _ := strings.Cut(arn, ":role")
	at := strings.LastIndexByte(name, '/') + 1
	return Role{Account: account, Name: name[at:], Path: name[:at], Trust: indented(trust), Policy: indented(policy)}
}

func indented(p Policy) string {
	b, err := json.MarshalIndent(p, "", "  ")
	if err != nil { // of strings alone
		return ""
	}
	return string(b)
}

// RoleAccounts are the accounts that have roles to make, sorted.
func (d Deployment) RoleAccounts() []string {
	var out []string
	for _, r := range d.Roles() {
		out = append(out, r.Account)
	}
	slices.Sort(out)
	return slices.Compact(out)
}

package ecrsim

import (
	"fmt"
	"path"
)

// Guard sets on the registry and its repositories what teams set on theirs: lifecycle policies of most kinds, immutable
// tags, keys, scanning, tags and policies, by the names that the demo's corpus has. What no pattern matches stays bare.
func (r *Registry) Guard() {
	r.SetPolicy(`{"Version":"2012-10-17","Statement":[{"Sid":"replication","Effect":"Allow","Principal":{"AWS":"arn:aws:iam::210987654321:root"},` +
		`"Action":["ecr:CreateRepository","ecr:ReplicateImage"],"Resource":"arn:aws:ecr:` + r.region.name + `:` + r.account + `:repository/*"}]}`)
	r.SetScanning("BASIC", ScanRule{Frequency: "SCAN_ON_PUSH", Filters: []ScanFilter{{Filter: "payments/*", Type: "WILDCARD"}}})
	r.mu.RLock()
	repositories := make([]*Repository, 0, len(r.repos))
	for _, p := range r.repos {
		repositories = append(repositories, p)
	}
	r.mu.RUnlock()
	for _, p := range repositories {
		for _, g := range r.guards() {
			if ok, _ := path.Match(g.pattern, p.name); ok {
				p.Update(g.set)
			}
		}
	}
}

type guard struct {
	pattern string
	set     func(*RepositorySettings)
}

// expire is a rule of a lifecycle policy.
func expire(priority int, selection, count string) string {
	return fmt.Sprintf(`{"rulePriority":%d,"description":"rule %d","selection":{%s,%s},"action":{"type":"expire"}}`, priority, priority, selection, count)
}

const (
	untagged = `"tagStatus":"untagged"`
	anyTag   = `"tagStatus":"any"`
)

func older(days int) string {
	return fmt.Sprintf(`"countType":"sinceImagePushed","countUnit":"days","countNumber":%d`, days)
}

func moreThan(images int) string {
	return fmt.Sprintf(`"countType":"imageCountMoreThan","countNumber":%d`, images)
}

func rules(list ...string) string {
	text := `{"rules":[`
	for i, r := range list {
		if i > 0 {
			text += ","
		}
		text += r
	}
	return text + "]}"
}

func (r *Registry) guards() []guard {
	arn := func(rest string) string { return "arn:" + partition(r.region.name) + ":iam::" + rest }
	allow := func(sid, principal, actions, more string) string {
		return fmt.Sprintf(`{"Version":"2012-10-17","Statement":[{"Sid":%q,"Effect":"Allow","Principal":%s,"Action":[%s]%s}]}`, sid, principal, actions, more)
	}
	const pull = `"ecr:BatchGetImage","ecr:GetDownloadUrlForLayer","ecr:BatchCheckLayerAvailability"`
	const push = pull + `,"ecr:InitiateLayerUpload","ecr:UploadLayerPart","ecr:CompleteLayerUpload","ecr:PutImage"`
	role := func(name string) string { return fmt.Sprintf(`{"AWS":%q}`, arn(r.account+":role/"+name)) }
	return []guard{
		{"team/*", func(s *RepositorySettings) {
			s.LifecyclePolicy = rules(expire(1, untagged, older(14)))
			s.Tags = map[string]string{"Team": "Team A", "cost-center": "1200"}
			s.RepositoryPolicy = allow("nodes", role("eks-nodes"), pull, "")
		}},
		{"team/api", func(s *RepositorySettings) {
			s.LifecyclePolicy = rules(expire(1, `"tagStatus":"tagged","tagPrefixList":["prod"]`, older(365)), expire(2, untagged, older(14)), expire(3, anyTag, older(90)))
		}},
		{"payments/*", func(s *RepositorySettings) {
			s.Mutability, s.ScanOnPush, s.EncryptionType = "IMMUTABLE", true, "KMS"
			s.KMSKey = "arn:" + partition(r.region.name) + ":kms:" + r.region.name + ":" + r.account + ":key/1234abcd-12ab-34cd-56ef-1234567890ab"
			s.LifecyclePolicy = rules(expire(1, `"tagStatus":"tagged","tagPrefixList":["release"]`, moreThan(9999)), expire(2, untagged, older(7)))
			s.RepositoryPolicy = allow("ci", role("ci-payments"), push, "")
		}},
		{"shop/*", func(s *RepositorySettings) {
			s.LifecyclePolicy = rules(expire(10, `"tagStatus":"tagged","tagPatternList":["dev*"]`, older(30)), expire(20, untagged, older(7)))
			s.Tags = map[string]string{"Team": "shop", "aws:cloudformation:stack-name": "shop"}
		}},
		{"platform/base/*", func(s *RepositorySettings) {
			s.Mutability = "IMMUTABLE"
			s.RepositoryPolicy = allow("organisation", `"*"`, pull, `,"Condition":{"StringEquals":{"aws:PrincipalOrgID":"o-a1b2c3d4e5"}}`)
		}},
		{"platform/gateway.v2", func(s *RepositorySettings) {
			s.Mutability, s.ExclusionFilters = "IMMUTABLE_WITH_EXCLUSION", []string{"latest", "dev-*"}
		}},
		{"sandbox/*", func(s *RepositorySettings) { s.LifecyclePolicy = rules(expire(1, anyTag, older(30))) }},
		{"legacy/*", func(s *RepositorySettings) { s.LifecyclePolicy = rules(expire(1, anyTag, moreThan(10))) }},
		{"ml/*", func(s *RepositorySettings) {
			s.LifecyclePolicy = `{"rules":[{"rulePriority":1,"selection":{"tagStatus":"any","countType":"sinceImagePulled","countUnit":"days","countNumber":90},` +
				`"action":{"type":"transition","targetStorageClass":"archive"}}]}`
		}},
		{"tools/*", func(s *RepositorySettings) {
			s.LifecyclePolicy = rules(expire(1, `"tagStatus":"tagged","tagPatternList":["*-dev","*-test"]`, moreThan(3)))
			s.RepositoryPolicy = allow("lambda", `{"Service":"lambda.amazonaws.com"}`, pull, "")
		}},
	}
}

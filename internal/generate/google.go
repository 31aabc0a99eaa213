package generate

import (
	"encoding/json"
	"fmt"
	"io"
	"slices"
	"strings"

	"transship/internal/registry/ecr"
	"transship/internal/registry/gar"
)

// defaultAccount is what the service account is called where the migration names none.
const defaultAccount = "transship"

// remover is the custom role that may take tags away, and nothing else: roles/artifactregistry.repoAdmin could delete images.
const remover = "transshipTagRemover"

// provisioner is the custom role that may create and set up repositories, and nothing else.
const provisioner = "transshipProvisioner"

// Google returns the commands that give the least that writing the targets takes, as a shell script.
func (m Migration) Google() string {
	var b strings.Builder
	line := func(format string, a ...any) { _, _ = fmt.Fprintf(&b, format+"\n", a...) }
	line("#!/bin/sh -eu")
	line("# What a migration needs in Google Cloud. Run it once, as an owner of the project.")
	email := m.Impersonate
	var projects []string
	for _, t := range m.Targets {
		if !slices.Contains(projects, t.Project) {
			projects = append(projects, t.Project)
		}
	}
	if email == "" && len(projects) > 0 {
		email = defaultAccount + "@" + projects[0] + ".iam.gserviceaccount.com"
		line("")
		line("# Who migrates. Leave it out, and put another member below, where somebody exists already.")
		line("gcloud iam service-accounts create %s --project=%s --display-name=Transship", defaultAccount, projects[0])
	}
	line("")
	line("MEMBER=serviceAccount:%s", email)
	for _, p := range projects {
		line("")
		line("# Project %s: the API, and creating and setting up repositories (for \"transship provision\" alone).", p)
		line("gcloud services enable artifactregistry.googleapis.com --project=%s", p)
		line("gcloud iam roles create %s --project=%s --title='Transship provisioner' \\", provisioner, p)
		line("  --permissions=artifactregistry.repositories.create,artifactregistry.repositories.get,artifactregistry.repositories.list,artifactregistry.repositories.update")
		line("gcloud projects add-iam-policy-binding %s --member=\"$MEMBER\" --role=projects/%s/roles/%s --condition=None", p, p, provisioner)
	}
	line("")
	line("# Reading and writing images, in these repositories alone. A repository must exist first:")
	line("# run \"transship provision\", or \"gcloud artifacts repositories create\".")
	for _, t := range m.Targets {
		line("gcloud artifacts repositories add-iam-policy-binding %s --location=%s --project=%s \\", t.ID, t.Location, t.Project)
		line("  --member=\"$MEMBER\" --role=roles/artifactregistry.writer")
	}
	if m.DeleteTags {
		m.removeTags(line, projects)
	}
	if m.Impersonate != "" {
		line("")
		line("# Who may act as it.")
		line("gcloud iam service-accounts add-iam-policy-binding %s --member=user:NAME@DOMAIN \\", m.Impersonate)
		line("  --role=roles/iam.serviceAccountTokenCreator")
	}
	return b.String()
}

// removeTags adds what following deletions takes.
func (m Migration) removeTags(line func(string, ...any), projects []string) {
	line("")
	line("# Taking tags away that were deleted in ECR, for \"transship sync --delete-tags\" alone.")
	for _, p := range projects {
		line("gcloud iam roles create %s --project=%s --title='Transship tag remover' --permissions=%s", remover, p, gar.PermissionUntag)
	}
	for _, t := range m.Targets {
		line("gcloud artifacts repositories add-iam-policy-binding %s --location=%s --project=%s \\", t.ID, t.Location, t.Project)
		line("  --member=\"$MEMBER\" --role=projects/%s/roles/%s", t.Project, remover)
	}
}

// Markdown writes everything with what it is for.
func (m Migration) Markdown(w io.Writer) error {
	var b strings.Builder
	b.WriteString(introduction + actions())
	for _, p := range m.AWS() {
		fmt.Fprintf(&b, "\n### Account %s\n\n", p.Account)
		if p.Role == "" {
			b.WriteString("Attach it to whoever runs Transship:\n")
		} else {
			fmt.Fprintf(&b, "Attach it to the role `%s`:\n", p.Role)
		}
		if err := block(&b, p.Policy); err != nil {
			return err
		}
		if p.Role == "" {
			continue
		}
		b.WriteString("\nThe role's trust policy. What is in capitals is yours to fill in:\n")
		if err := block(&b, p.Trust); err != nil {
			return err
		}
	}
	if caller := m.Caller(); len(caller.Statement) > 0 {
		b.WriteString("\n### Whoever assumes the roles\n\nThe caller must be allowed to, too:\n")
		if err := block(&b, caller); err != nil {
			return err
		}
	}
	b.WriteString(google)
	b.WriteString("\n```sh\n" + m.Google() + "```\n")
	b.WriteString(pulls)
	for _, s := range m.Sources {
		principal := s.RoleARN
		if principal == "" {
			principal = "arn:" + s.Registry.Partition() + ":iam::" + s.Registry.Account + ":role/CALLER"
		}
		fmt.Fprintf(&b, "aws ecr register-pull-time-update-exclusion --region %s --principal-arn %s\n", s.Registry.Region, principal)
	}
	b.WriteString("```\n")
	_, err := io.WriteString(w, b.String())
	return err
}

// actions is a table of what each is for.
func actions() string {
	var b strings.Builder
	b.WriteString("\n| action | what for | without it |\n|---|---|---|\n")
	for _, a := range ecr.Actions() {
		without := "nothing works"
		if a.Optional {
			without = "less is seen"
		}
		if a.Grant == "" {
			fmt.Fprintf(&b, "| `%s` | %s | %s |\n", a.Name, a.Why, without)
		}
	}
	return b.String()
}

func block(b *strings.Builder, p Policy) error {
	text, err := json.MarshalIndent(p, "", "  ")
	if err != nil {
		return err
	}
	b.WriteString("\n```json\n" + string(text) + "\n```\n")
	return nil
}

const introduction = `# Permissions

The least that a migration needs. "transship generate permissions" prints this for your own sources and targets;
"transship doctor" says which of them are missing.

## AWS: read the sources

Nothing is written at the source, so nothing here writes. ecr:GetAuthorizationToken and the questions about the registry
as a whole can be given on every resource only, and listing repositories is about all of them. IAM's * crosses slashes: a
pattern may allow more than the selection includes, never less.
A KMS key on a repository needs no permission of the caller: ECR decrypts by its own grant.
TransshipEvents is for a sync that takes ECR's events from queues (events), and for nobody else.
`

const google = `
## Google: write the targets

roles/artifactregistry.writer reads and writes images and tags; it neither deletes nor changes settings. Creating
repositories and changing their settings are permissions on the project: give them for "transship provision", or have
the repositories made from "transship generate terraform", or by hand.
`

const pulls = `
## Pull times

ECR records when an image was last pulled, and lifecycle rules may count from there. A migration pulls everything. These
commands, which an administrator runs once (ecr:RegisterPullTimeUpdateExclusion), keep its pulls out of the record:

` + "```sh\n"

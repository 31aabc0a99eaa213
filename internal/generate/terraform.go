package generate

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"regexp"
	"slices"
	"strings"

	"github.com/hashicorp/hcl/v2/hclsyntax"
	"github.com/hashicorp/hcl/v2/hclwrite"
	"github.com/zclconf/go-cty/cty"

	"transship/internal/document"
	"transship/internal/governance/desired"
	"transship/internal/ref"
	"transship/internal/registry/secret"
)

// header is what a file that the named generator makes begins with.
func header(generator string) string {
	return mark + generator + `". Running that again replaces
# this file, so changes belong into files of your own: to keep one that was made
# here, remove this comment.
`
}

// Terraform returns what provision does as files of Terraform, sorted by name: the repositories with all settings that they
// have afterwards, those of others included, for what Terraform is not told it would remove; the grants that have a member
// and need nobody's decision; and imports of what exists. It asks nothing, and the same arguments give the same bytes.
func Terraform(changes []desired.Change, grants []document.Grant) []File {
	repositories, imports := hclwrite.NewEmptyFile(), hclwrite.NewEmptyFile()
	for _, c := range sortedChanges(changes) {
		repository(repositories.Body(), c)
		if !c.Create {
			imports.Body().AppendNewline()
			body := imports.Body().AppendNewBlock("import", nil).Body()
			body.SetAttributeRaw("to", reference(resourceType, resourceName(c.Repository)))
			body.SetAttributeValue("id", cty.StringVal(c.Repository.ResourceName()))
		}
	}
	return []File{
		hclFile("terraform", "access.tf", "# Who may do what with the images: as suggested, and reviewed by you.\n", access(changes, grants)),
		hclFile("terraform", "imports.tf", "# What exists already, so that Terraform takes it over rather than creating it.\n", imports),
		hclFile("terraform", "repositories.tf", "", repositories),
		hclFile("terraform", "versions.tf", "", versions()),
	}
}

func hclFile(generator, name, about string, f *hclwrite.File) File {
	content := string(hclwrite.Format(f.Bytes()))
	if about != "" {
		about = "#\n" + about
	}
	if strings.TrimSpace(content) == "" {
		content = ""
	}
	return File{Name: name, Content: header(generator) + about + content}
}

func sortedChanges(changes []desired.Change) []desired.Change {
	out := slices.Clone(changes)
	slices.SortFunc(out, func(a, b desired.Change) int {
		return strings.Compare(a.Repository.ResourceName(), b.Repository.ResourceName())
	})
	return out
}

// versions say what understands the rest: imports came with Terraform 1.5, scanning with 6.15 of the provider. [S]
func versions() *hclwrite.File {
	f := hclwrite.NewEmptyFile()
	f.Body().AppendNewline()
	body := f.Body().AppendNewBlock("terraform", nil).Body()
	body.SetAttributeValue("required_version", cty.StringVal(">= 1.5"))
	body.AppendNewline()
	body.AppendNewBlock("required_providers", nil).Body().SetAttributeValue("google", cty.ObjectVal(map[string]cty.Value{
		"source": cty.StringVal("hashicorp/google"), "version": cty.StringVal(">= 6.15"),
	}))
	return f
}

const (
	resourceType = "google_artifact_registry_repository"
	memberType   = "google_artifact_registry_repository_iam_member"
)

// repository writes one repository as it is after provision. FACTS B2.
func repository(to *hclwrite.Body, c desired.Change) {
	to.AppendNewline()
	for _, l := range c.LeftOut {
		comment(to, fmt.Sprintf("Left out, %s: %s. To do: %s.", l.Setting, l.Reason, l.Remedy))
	}
	body := to.AppendNewBlock("resource", []string{resourceType, resourceName(c.Repository)}).Body()
	text := func(name, value string) {
		if value != "" {
			body.SetAttributeValue(name, cty.StringVal(value))
		}
	}
	s := c.Settings
	text("project", c.Repository.Project)
	text("location", c.Repository.Location)
	text("repository_id", c.Repository.ID)
	text("format", "DOCKER")
	text("description", c.Description)
	text("kms_key_name", s.KMSKey)
	if len(s.Labels) > 0 {
		labels := map[string]cty.Value{}
		for k, v := range s.Labels {
			labels[k] = cty.StringVal(v)
		}
		body.SetAttributeValue("labels", cty.ObjectVal(labels))
	}
	if s.CleanupDryRun || len(s.Cleanup) > 0 {
		body.SetAttributeValue("cleanup_policy_dry_run", cty.BoolVal(s.CleanupDryRun))
	}
	// Where it is not said, the provider would change false to nothing for ever. [I]
	inner(body, "docker_config").SetAttributeValue("immutable_tags", cty.BoolVal(s.ImmutableTags))
	if s.Scanning != "" {
		inner(body, "vulnerability_scanning_config").SetAttributeValue("enablement_config", cty.StringVal(s.Scanning))
	}
	for _, p := range s.Cleanup {
		cleanupPolicy(inner(body, "cleanup_policies"), p)
	}
}

// inner begins a block apart from what is above it.
func inner(body *hclwrite.Body, name string) *hclwrite.Body {
	body.AppendNewline()
	return body.AppendNewBlock(name, nil).Body()
}

func cleanupPolicy(body *hclwrite.Body, p document.CleanupPolicy) {
	body.SetAttributeValue("id", cty.StringVal(p.ID))
	body.SetAttributeValue("action", cty.StringVal(p.Action))
	if c := p.Condition; c != nil {
		in := inner(body, "condition")
		if c.TagState != "" {
			in.SetAttributeValue("tag_state", cty.StringVal(c.TagState))
		}
		texts(in, "tag_prefixes", c.TagPrefixes)
		texts(in, "version_name_prefixes", c.VersionPrefixes)
		texts(in, "package_name_prefixes", c.PackagePrefixes)
		seconds(in, "older_than", c.OlderThan)
		seconds(in, "newer_than", c.NewerThan)
	}
	if m := p.MostRecent; m != nil {
		in := inner(body, "most_recent_versions")
		texts(in, "package_name_prefixes", m.PackagePrefixes)
		in.SetAttributeValue("keep_count", cty.NumberIntVal(int64(m.KeepCount)))
	}
}

func texts(body *hclwrite.Body, name string, list []string) {
	if len(list) == 0 {
		return
	}
	values := make([]cty.Value, 0, len(list))
	for _, s := range list {
		values = append(values, cty.StringVal(s))
	}
	body.SetAttributeValue(name, cty.TupleVal(values))
}

func seconds(body *hclwrite.Body, name string, s document.Seconds) {
	if s != 0 {
		body.SetAttributeValue(name, cty.StringVal(fmt.Sprintf("%ds", s)))
	}
}

// access writes the grants that can be made: one a repository, role and member, with all principals that it stands for.
func access(changes []desired.Change, grants []document.Grant) *hclwrite.File {
	f := hclwrite.NewEmptyFile()
	type key struct {
		target       ref.TargetRepository
		role, member string
	}
	principals := map[key][]string{}
	for _, g := range grants {
		if g.Member == "" || g.Role == "" || g.Decide != "" {
			continue
		}
		k := key{g.Target, g.Role, g.Member}
		principals[k] = append(principals[k], g.Principal)
	}
	keys := make([]key, 0, len(principals))
	for k := range principals {
		keys = append(keys, k)
	}
	slices.SortFunc(keys, func(a, b key) int {
		return strings.Compare(a.target.ResourceName()+"\x00"+a.role+"\x00"+a.member, b.target.ResourceName()+"\x00"+b.role+"\x00"+b.member)
	})
	for _, k := range keys {
		f.Body().AppendNewline()
		for _, p := range slices.Compact(slices.Sorted(slices.Values(principals[k]))) {
			comment(f.Body(), "In AWS: "+p)
		}
		body := f.Body().AppendNewBlock("resource", []string{memberType, memberName(k.target, k.role, k.member)}).Body()
		if slices.ContainsFunc(changes, func(c desired.Change) bool { return c.Repository == k.target }) {
			for _, name := range []string{"project", "location"} {
				body.SetAttributeRaw(name, reference(resourceType, resourceName(k.target), name))
			}
			body.SetAttributeRaw("repository", reference(resourceType, resourceName(k.target), "name"))
		} else {
			body.SetAttributeValue("project", cty.StringVal(k.target.Project))
			body.SetAttributeValue("location", cty.StringVal(k.target.Location))
			body.SetAttributeValue("repository", cty.StringVal(k.target.ID))
		}
		body.SetAttributeValue("role", cty.StringVal(k.role))
		body.SetAttributeValue("member", cty.StringVal(k.member))
	}
	return f
}

// reference is one to another part of the configuration: names with dots between.
func reference(names ...string) hclwrite.Tokens {
	return hclwrite.Tokens{{Type: hclsyntax.TokenIdent, Bytes: []byte(strings.Join(names, "."))}}
}

// comment writes a line of outside or own text, which ends no sooner than the line.
func comment(body *hclwrite.Body, text string) {
	body.AppendUnstructuredTokens(hclwrite.Tokens{{Type: hclsyntax.TokenComment, Bytes: []byte("# " + secret.Clean(text) + "\n")}})
}

// plainName is what is told from others when its hyphens are underscores, and the parts are two underscores apart.
var plainName = regexp.MustCompile(`^[a-z][a-z0-9]*(-[a-z0-9]+)*$`)

// resourceName is the name of a repository in Terraform. It depends on that repository alone: were a name to change
// because another repository came, Terraform would delete the repository with all its images.
func resourceName(r ref.TargetRepository) string {
	parts := []string{r.ID, r.Location, r.Project}
	plain := true
	for i, p := range parts {
		plain = plain && plainName.MatchString(p)
		parts[i] = identifier(p)
	}
	name := strings.Join(parts, "__")
	if !plain {
		name += "__" + shortHash(r.ResourceName())
	}
	return name
}

func memberName(r ref.TargetRepository, role, member string) string {
	return resourceName(r) + "__" + identifier(role[strings.LastIndexAny(role, "./")+1:]) + "__" + shortHash(role+"\x00"+member)
}

// identifier makes a name of HCL out of s.
func identifier(s string) string {
	name := strings.Map(func(r rune) rune {
		if r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z' || r >= '0' && r <= '9' {
			return r
		}
		return '_'
	}, s)
	if name == "" || name[0] >= '0' && name[0] <= '9' {
		return "_" + name
	}
	return name
}

func shortHash(s string) string {
	sum := sha256.Sum256([]byte(s))
	return hex.EncodeToString(sum[:4])
}

package danger

import (
	"path"
	"strings"

	"transship/internal/ref"
	"transship/internal/references"
	"transship/internal/rewrite/mention"
)

// The migration of the tests.
var (
	source = ref.Registry{Account: "123456789012", Region: "us-east-1"}
	target = ref.TargetRepository{Location: "us", Project: "my-gcp-project", ID: "app-images"}
)

// fake is an oracle of the source: everything arrived but what is in unmoved/.
type fake struct{}

func (fake) Ask(n references.Name) mention.Answer {
	if n.Repository.Registry != source || strings.HasPrefix(n.Repository.Name, "unmoved/") {
		return mention.Answer{Verdict: mention.NotMoved}
	}
	return mention.Answer{Verdict: mention.Proved, Target: target.Image(n.Repository.Name)}
}

func (fake) Sources() []ref.Registry { return []ref.Registry{source} }

// lost is an oracle of which nothing can be learned.
type lost struct{ fake }

func (lost) Ask(references.Name) mention.Answer { return mention.Answer{} }

// typeOf is a rough guess at the type of a file; the engine's is better.
func typeOf(name string) mention.Type {
	switch base := path.Base(name); {
	case strings.HasPrefix(base, "Jenkinsfile"):
		return mention.Groovy
	case strings.HasPrefix(base, "Dockerfile"):
		return mention.Dockerfile
	case base == "Makefile":
		return mention.Shell
	case strings.Contains(name, "templates/"):
		return mention.Template
	}
	switch path.Ext(name) {
	case ".yaml", ".yml":
		return mention.YAML
	case ".json":
		return mention.JSON
	case ".tf", ".tfvars", ".hcl":
		return mention.HCL
	case ".sh", ".ps1", ".bat", ".mk":
		return mention.Shell
	case ".groovy", ".gradle":
		return mention.Groovy
	case ".md":
		return mention.Markdown
	case ".go", ".py", ".ts", ".js", ".java", ".php", ".rs", ".bzl":
		return mention.Code
	}
	return mention.Plain
}

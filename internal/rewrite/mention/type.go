package mention

import (
	"bytes"
	"path"
	"strings"
)

// TypeOf says what kind of file it is, by its name and, where that does not tell, by how it begins.
func TypeOf(name string, text []byte) Type {
	base := strings.ToLower(path.Base(name))
	t, known := named(base)
	switch {
	case !known:
		return sniffed(text)
	case (t == YAML || t == JSON) && isTemplate(text):
		return Template
	}
	return t
}

// named knows names and extensions.
func named(base string) (Type, bool) {
	switch {
	case isDockerfile(base):
		return Dockerfile, true
	case strings.HasPrefix(base, "jenkinsfile"):
		return Groovy, true
	case base == "makefile" || base == "gnumakefile" || base == "justfile" || strings.HasPrefix(base, ".env"):
		return Shell, true
	}
	for _, template := range []string{".tpl", ".tmpl", ".gotmpl", ".j2", ".jinja", ".jinja2", ".erb", ".mustache", ".hbs"} {
		if strings.HasSuffix(base, template) {
			return Template, true
		}
	}
	switch path.Ext(base) {
	case ".yaml", ".yml":
		return YAML, true
	case ".json", ".jsonc", ".json5", ".tfstate":
		return JSON, true
	case ".tf", ".tfvars", ".hcl", ".tofu", ".nomad":
		return HCL, true
	case ".sh", ".bash", ".zsh", ".ksh", ".fish", ".bat", ".cmd", ".ps1", ".psm1", ".mk", ".envrc":
		return Shell, true
	case ".groovy", ".gradle", ".jenkinsfile":
		return Groovy, true
	case ".md", ".markdown", ".mdx", ".rst", ".adoc":
		return Markdown, true
	case ".go", ".py", ".ts", ".tsx", ".js", ".jsx", ".mjs", ".cjs", ".java", ".kt", ".kts", ".rb", ".php", ".rs", ".cs", ".scala", ".swift",
		".c", ".h", ".cc", ".cpp", ".ex", ".exs", ".clj", ".lua", ".pl", ".r", ".dart", ".rego", ".cue", ".star", ".bzl":
		return Code, true
	case ".txt", ".properties", ".ini", ".cfg", ".conf", ".toml", ".xml", ".html", ".csv", ".lock", ".log":
		return Plain, true
	}
	return Plain, false
}

func isDockerfile(base string) bool {
	for _, name := range []string{"dockerfile", "containerfile"} {
		if base == name || strings.HasPrefix(base, name+".") || strings.HasSuffix(base, "."+name) {
			return true
		}
	}
	return false
}

// lookedAt is how far a text is looked at for what kind it is.
const lookedAt = 64 << 10

// isTemplate reports whether a text has actions of Helm's or Jinja's outside of strings and comments. An expression of
// GitHub's, ${{ … }}, is a plain string to YAML.
func isTemplate(text []byte) bool {
	text = text[:min(len(text), lookedAt)]
	for line := range bytes.Lines(text) {
		line = bytes.TrimLeft(line, " \t-")
		if bytes.HasPrefix(line, []byte("{{")) || bytes.HasPrefix(line, []byte("{%")) {
			return true
		}
		if _, value, ok := bytes.Cut(line, []byte(": ")); ok && line[0] != '#' && bytes.HasPrefix(bytes.TrimLeft(value, " "), []byte("{{")) {
			return true
		}
	}
	return false
}

// sniffed goes by how a text begins.
func sniffed(text []byte) Type {
	text = bytes.TrimLeft(text[:min(len(text), lookedAt)], " \t\r\n")
	first, _, _ := bytes.Cut(text, []byte("\n"))
	switch {
	case bytes.HasPrefix(first, []byte("#!")):
		switch {
		case bytes.Contains(first, []byte("groovy")):
			return Groovy
		case bytes.Contains(first, []byte("python")), bytes.Contains(first, []byte("node")), bytes.Contains(first, []byte("ruby")), bytes.Contains(first, []byte("perl")):
			return Code
		}
		return Shell
	case bytes.HasPrefix(text, []byte("{")) && !bytes.HasPrefix(text, []byte("{{")):
		return JSON
	case bytes.HasPrefix(first, []byte("---")), bytes.HasPrefix(text, []byte("apiVersion:")), bytes.HasPrefix(text, []byte("kind:")):
		if isTemplate(text) {
			return Template
		}
		return YAML
	case bytes.HasPrefix(text, []byte("FROM ")), bytes.HasPrefix(text, []byte("# syntax=")):
		return Dockerfile
	}
	return Plain
}

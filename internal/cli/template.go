package cli

import (
	"fmt"
	"reflect"
	"slices"
	"strings"

	"transship/internal/cli/term"
)

// template is a configuration to begin with. What is known is set; every other key is there, commented out, with its
// meaning. Prose begins with "# ", a setting that is commented out with "#" alone.
type template struct {
	from  []string // hosts; empty where none is known
	to    string   // empty where it was not named
	other file     // further settings that the flags name

	proposedTo string   // for to, where it was not named
	prefixes   []string // of the repositories' names, as a proposal for waves
	seen       []string // what was seen on this machine, in sentences
}

// templateWidth is how wide its lines are.
const templateWidth = 100

// text is the file.
func (t template) text() string {
	var b strings.Builder
	say := func(text string) {
		for _, line := range term.Wrap(text, templateWidth-2) {
			b.WriteString("# " + line + "\n")
		}
	}
	say(`The configuration of Transship. Settings that are commented out have no effect: take away the "#". A flag of the same name wins over what stands here. Credentials never stand here.`)
	for _, s := range t.seen {
		say(s)
	}
	for i := range reflect.TypeFor[file]().NumField() {
		f := reflect.TypeFor[file]().Field(i)
		key := f.Tag.Get("yaml")
		b.WriteString("\n")
		say(f.Tag.Get("doc"))
		if lines := t.set(key); len(lines) > 0 {
			b.WriteString(strings.Join(lines, "\n") + "\n")
			continue
		}
		for _, line := range t.example(key, f.Type) {
			if strings.HasPrefix(line, "# ") {
				b.WriteString(line + "\n")
			} else {
				b.WriteString("#" + line + "\n")
			}
		}
	}
	return b.String()
}

// set is the lines of a setting that is known, or nothing.
func (t template) set(key string) []string {
	switch key {
	case "from":
		return list(key, t.from)
	case "to":
		if t.to != "" {
			return []string{"to: " + t.to}
		}
	case "include":
		return list(key, t.other.Include)
	case "exclude":
		return list(key, t.other.Exclude)
	case "workspace":
		if t.other.Workspace != "" {
			return []string{fmt.Sprintf("workspace: %q", t.other.Workspace)}
		}
	}
	return nil
}

func list(key string, values []string) []string {
	if len(values) == 0 {
		return nil
	}
	out := []string{key + ":"}
	for _, v := range values {
		out = append(out, fmt.Sprintf("  - %q", v))
	}
	return out
}

// examples are values for the keys, in place of what their types suggest.
func examples(key string) (string, bool) {
	v, ok := map[string]string{
		"to": "us-docker.pkg.dev/my-gcp-project/app-images", "impersonate": "transship@my-gcp-project.iam.gserviceaccount.com",
		"pushed-since": "30d", "pulled-since": "90d", "newest": "10", "older-versions": "3", "wave": "first", "workspace": "transship",
		"max-requests-per-second": "50", "max-concurrency": "32", "max-bandwidth": "50MB", "retry-horizon": "10m", "image-timeout": "2h", "bandwidth": "400Mbit",
		"log-format": "text", "host": "123456789012.dkr.ecr.us-east-1.amazonaws.com", "account": `"123456789012"`, "region": "us-east-1",
		"profile": "production", "role_arn": "arn:aws:iam::123456789012:role/migration-reader", "external_id": "my-external-id",
		"web_identity": "google", "name": "first", "layout": "grouped", "cleanup": "standard", "principals": "principals.yaml",
		"interval": "5m", "verify-every": "24h", "listen": `":8080"`, "max-deletions": "20",
	}[key]
	return v, ok
}

// example is the lines of a setting as it could be; those that begin with "# " are prose.
func (t template) example(key string, typ reflect.Type) []string {
	switch key {
	case "to":
		if t.proposedTo != "" {
			return []string{"to: " + t.proposedTo}
		}
	case "from":
		return list(key, []string{"123456789012.dkr.ecr.us-east-1.amazonaws.com"})
	case "include":
		return list(key, []string{"team/**"})
	case "exclude":
		return list(key, []string{"team/sandbox/**"})
	case "first":
		return list(key, []string{"production.txt", "deploy/production"})
	case "events":
		return list(key, []string{"https://sqs.us-east-1.amazonaws.com/123456789012/transship"})
	case "tags":
		return list(key, []string{"v*", "release-*"})
	case "waves":
		if len(t.prefixes) > 0 {
			return t.waves()
		}
	case "keys":
		return nested(key, typ.Elem(), map[string]string{"from": `"secure/**"`, "key": "projects/my-gcp-project/locations/us/keyRings/images/cryptoKeys/secure"})
	case "prices":
		return nested(key, typ.Elem(), map[string]string{"egress": `"us-*"`, "storage": `"us"`, "per-gb": "0.05"})
	case "mappings":
		return nested(key, typ.Elem(), map[string]string{"from": `"team/**"`, "to": "europe-docker.pkg.dev/my-gcp-project/team/**"})
	}
	if v, ok := examples(key); ok {
		return []string{key + ": " + v}
	}
	switch typ.Kind() {
	case reflect.Bool:
		return []string{key + ": true"}
	case reflect.Int:
		return []string{key + ": 1"}
	case reflect.Slice:
		if typ.Elem().Kind() == reflect.Struct {
			return nested(key, typ.Elem(), map[string]string{"include": `["team/**"]`, "exclude": `["team/sandbox/**"]`})
		}
		return list(key, []string{"value"})
	}
	return []string{key + ": value"}
}

// nested is a list with one entry that has every key. Of sources, host stands in place of account and region, and of
// prices, egress in place of storage.
func nested(key string, typ reflect.Type, values map[string]string) []string {
	out := []string{key + ":"}
	mark := "  - "
	for i := range typ.NumField() {
		f := typ.Field(i)
		name := f.Tag.Get("yaml")
		value, ok := values[name]
		if !ok {
			value, _ = examples(name)
		}
		for _, line := range term.Wrap(f.Tag.Get("doc"), templateWidth-8) {
			out = append(out, "    # "+line)
		}
		if key == "sources" && (name == "account" || name == "region") || key == "prices" && name == "storage" {
			out = append(out, "    # "+name+": "+value)
			continue
		}
		out = append(out, mark+name+": "+value)
		mark = "    "
	}
	return out
}

// maxWaves is how many waves are proposed.
const maxWaves = 12

// waves proposes one for each common prefix.
func (t template) waves() []string {
	out := []string{"# One for each first part of the names, as a proposal:", "waves:"}
	for i, prefix := range t.prefixes {
		if i == maxWaves {
			out = append(out, fmt.Sprintf("  # and %d more", len(t.prefixes)-maxWaves))
			break
		}
		name := strings.Map(func(r rune) rune {
			if r == '.' {
				return '-'
			}
			return r
		}, prefix)
		out = append(out, "  - name: "+name, fmt.Sprintf("    include: [%q]", prefix+"/**"))
	}
	return append(out, "    # It can leave names out, too.", fmt.Sprintf("    exclude: [%q]", t.prefixes[min(len(t.prefixes), maxWaves)-1]+"/sandbox/**"))
}

// prefixesOf are the first parts of names that several have, the most common one first.
func prefixesOf(names []string) []string {
	count := map[string]int{}
	for _, name := range names {
		if prefix, _, ok := strings.Cut(name, "/"); ok {
			count[prefix]++
		}
	}
	var out []string
	for prefix, n := range count {
		if n > 1 && waveName.MatchString(strings.ReplaceAll(prefix, ".", "-")) {
			out = append(out, prefix)
		}
	}
	slices.SortFunc(out, func(a, b string) int {
		if count[a] != count[b] {
			return count[b] - count[a]
		}
		return strings.Compare(a, b)
	})
	return out
}

// Package sarif writes findings as SARIF 2.1.0, which code hosts show on the lines that they are about.
//
// Vocabulary: a rule is a kind of finding with what is to be known of it; a result is one finding. A fingerprint tells a
// finding apart from others, whatever its line, so that a host does not take one that has moved for a new one.
package sarif

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"io"
	"net/url"
	"path"
	"strconv"
	"strings"

	"transship/internal/rewrite/mention"
)

type log struct {
	Schema  string `json:"$schema"`
	Version string `json:"version"`
	Runs    []run  `json:"runs"`
}

type run struct {
	Tool       tool     `json:"tool"`
	ColumnKind string   `json:"columnKind"`
	Results    []result `json:"results"`
}

type tool struct {
	Driver driver `json:"driver"`
}

type driver struct {
	Name           string `json:"name"`
	Version        string `json:"version,omitempty"`
	InformationURI string `json:"informationUri,omitempty"`
	Rules          []rule `json:"rules"`
}

type text struct {
	Text string `json:"text"`
}

type rule struct {
	ID      string `json:"id"`
	Short   text   `json:"shortDescription"`
	Help    text   `json:"help"`
	Default struct {
		Level string `json:"level"`
	} `json:"defaultConfiguration"`
}

type result struct {
	RuleID       string            `json:"ruleId"`
	RuleIndex    int               `json:"ruleIndex"`
	Level        string            `json:"level"`
	Message      text              `json:"message"`
	Locations    []location        `json:"locations"`
	Fingerprints map[string]string `json:"partialFingerprints"`
}

type location struct {
	Physical struct {
		Artifact artifact `json:"artifactLocation"`
		Region   *region  `json:"region,omitempty"`
	} `json:"physicalLocation"`
}

type artifact struct {
	URI  string `json:"uri"`
	Base string `json:"uriBaseId,omitempty"`
}

type region struct {
	StartLine int   `json:"startLine"`
	Snippet   *text `json:"snippet,omitempty"`
}

// Write writes the findings. The version is that of the tool, and may be empty.
func Write(w io.Writer, version string, findings []mention.Finding) error {
	r := run{ColumnKind: "unicodeCodePoints", Results: []result{}}
	r.Tool.Driver = driver{Name: "transship", Version: version, Rules: []rule{}}
	index := map[mention.Kind]int{}
	add := func(k mention.Kind) {
		a := k.About()
		one := rule{ID: string(k), Short: text{a.Short}, Help: text{a.Help}}
		one.Default.Level = level(k)
		index[k] = len(r.Tool.Driver.Rules)
		r.Tool.Driver.Rules = append(r.Tool.Driver.Rules, one)
	}
	for _, k := range mention.Kinds() {
		add(k)
	}
	seen := map[string]int{}
	for _, f := range findings {
		if _, ok := index[f.Kind]; !ok {
			add(f.Kind)
		}
		one := result{RuleID: string(f.Kind), RuleIndex: index[f.Kind], Level: level(f.Kind), Message: text{strings.TrimSpace(f.Why + " " + f.Do)}}
		if one.Message.Text == "" {
			one.Message.Text = f.Kind.About().Short
		}
		one.Locations = []location{place(f)}
		print := fingerprint(f)
		seen[print]++
		one.Fingerprints = map[string]string{"transshipMention/v1": print + ":" + strconv.Itoa(seen[print])}
		r.Results = append(r.Results, one)
	}
	e := json.NewEncoder(w)
	e.SetEscapeHTML(false)
	e.SetIndent("", " ")
	return e.Encode(log{Schema: "https://json.schemastore.org/sarif-2.1.0.json", Version: "2.1.0", Runs: []run{r}})
}

func level(k mention.Kind) string {
	switch k.About().Level {
	case mention.Danger:
		return "error"
	case mention.Warning:
		return "warning"
	}
	return "note"
}

// place is where a finding is: relative to the folder that the command ran in, which is a repository's top for code hosts.
func place(f mention.Finding) (l location) {
	name := path.Clean(f.File)
	segments := strings.Split(name, "/")
	for n, s := range segments {
		segments[n] = url.PathEscape(s)
	}
	l.Physical.Artifact = artifact{URI: strings.Join(segments, "/"), Base: "%SRCROOT%"}
	if path.IsAbs(name) {
		l.Physical.Artifact = artifact{URI: "file://" + strings.Join(segments, "/")}
	} else if strings.Contains(segments[0], ":") { // it would be read as a scheme
		l.Physical.Artifact.URI = "./" + l.Physical.Artifact.URI
	}
	if f.Line > 0 {
		l.Physical.Region = &region{StartLine: f.Line}
		if f.Text != "" {
			l.Physical.Region.Snippet = &text{f.Text}
		}
	}
	return l
}

func fingerprint(f mention.Finding) string {
	sum := sha256.Sum256([]byte(string(f.Kind) + "\x00" + f.File + "\x00" + f.Text))
	return hex.EncodeToString(sum[:16])
}

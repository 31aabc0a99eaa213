package main

import (
	"bytes"
	"cmp"
	"crypto/sha256"
	"debug/buildinfo"
	"encoding/json"
	"fmt"
	"net/url"
	"os"
	"slices"
	"strings"
	"time"
)

// bill is a bill of materials: what the binaries of all targets are made of, by what they themselves say.
type bill struct {
	version    string
	time       time.Time
	components map[string]component // by package URL
	commit     string
}

// The parts of CycloneDX 1.6 that are used.
type (
	cyclone struct {
		Format       string      `json:"bomFormat"`
		Spec         string      `json:"specVersion"`
		Serial       string      `json:"serialNumber"`
		Version      int         `json:"version"`
		Metadata     metadata    `json:"metadata"`
		Components   []component `json:"components"`
		Dependencies []dependsOn `json:"dependencies"`
	}
	metadata struct {
		Timestamp string    `json:"timestamp"`
		Component component `json:"component"`
	}
	component struct {
		Type       string     `json:"type"`
		Ref        string     `json:"bom-ref"`
		Name       string     `json:"name"`
		Version    string     `json:"version"`
		URL        string     `json:"purl"`
		Properties []property `json:"properties,omitempty"`
	}
	property struct {
		Name  string `json:"name"`
		Value string `json:"value"`
	}
	dependsOn struct {
		Ref       string   `json:"ref"`
		DependsOn []string `json:"dependsOn"`
	}
)

func newBill(version string, at time.Time) *bill {
	return &bill{version: version, time: at, components: map[string]component{}}
}

// read adds what a binary is made of.
func (b *bill) read(binary string) error {
	info, err := buildinfo.ReadFile(binary)
	if err != nil {
		return fmt.Errorf("read what the binary is made of: %w", err)
	}
	for _, s := range info.Settings {
		if s.Key == "vcs.revision" {
			b.commit = s.Value
		}
	}
	if b.commit == "" {
		return fmt.Errorf("the binary does not tell its commit: is this a git checkout, and git on the PATH?")
	}
	b.add("std", strings.TrimPrefix(info.GoVersion, "go"), "")
	for _, m := range info.Deps {
		if m.Replace != nil {
			m = m.Replace
		}
		b.add(m.Path, m.Version, m.Sum)
	}
	return nil
}

func (b *bill) add(path, version, sum string) {
	c := module("library", path, version)
	if sum != "" { // the go command's own hash, of a module's files rather than of an archive
		c.Properties = []property{{"go:sum", sum}}
	}
	b.components[c.URL] = c
}

func module(kind, path, version string) component {
	segments := strings.Split(path, "/")
	for i, s := range segments {
		segments[i] = url.PathEscape(s)
	}
	purl := "pkg:golang/" + strings.Join(segments, "/") + "@" + url.PathEscape(version)
	return component{Type: kind, Ref: purl, Name: path, Version: version, URL: purl}
}

// write writes the bill as CycloneDX JSON. Its serial number is made of its content, since a random one would differ with
// each build.
func (b *bill) write(path string) error {
	own := module("application", "transship", b.version)
	own.Properties = []property{{"vcs.revision", b.commit}}
	doc := cyclone{
		Format: "CycloneDX", Spec: "1.6", Version: 1,
		Metadata: metadata{Timestamp: b.time.Format(time.RFC3339), Component: own},
	}
	needs := dependsOn{Ref: own.Ref}
	for _, c := range b.components {
		doc.Components = append(doc.Components, c)
		needs.DependsOn = append(needs.DependsOn, c.Ref)
	}
	slices.SortFunc(doc.Components, func(x, y component) int { return cmp.Compare(x.Ref, y.Ref) })
	slices.Sort(needs.DependsOn)
	doc.Dependencies = []dependsOn{needs}
	for range 2 { // first without the serial number, then with it
		var text bytes.Buffer
		e := json.NewEncoder(&text)
		e.SetIndent("", "  ")
		e.SetEscapeHTML(false)
		if err := e.Encode(doc); err != nil {
			return err
		}
		if doc.Serial != "" {
			return os.WriteFile(path, text.Bytes(), 0o644) //nolint:gosec // for everybody
		}
		h := sha256.Sum256(text.Bytes())
		h[6], h[8] = h[6]&0x0f|0x80, h[8]&0x3f|0x80 // a UUID of version 8: the maker's own
		doc.Serial = fmt.Sprintf("urn:uuid:%x-%x-%x-%x-%x", h[:4], h[4:6], h[6:8], h[8:10], h[10:16])
	}
	return nil
}

package cli

import (
	"reflect"
	"slices"

	"go.yaml.in/yaml/v3"

	"transship/internal/generate"
	"transship/internal/governance"
)

// deployed is the configuration for workers elsewhere: the one of s, flags and all, with the sources as the platform
// reads them, and without what only this machine has.
func (s settings) deployed(sources []generate.Source) (string, error) {
	f := s.file
	if f.Layout == governance.LayoutGrouped {
		return "", usagef("%s: layout: grouped keeps its groups in the workspace, which workers elsewhere do not have: "+
			"put the mappings of the workspace's layout.yaml into the configuration in its place", s.path)
	}
	f.From, f.Sources = nil, nil
	for i, from := range s.sources {
		o := origin{Host: from.registry.HostIn(from.form), RoleARN: sources[i].RoleARN, ExternalID: sources[i].ExternalID}
		if sources[i].WebIdentity {
			o.WebIdentity = "google"
		}
		f.Sources = append(f.Sources, o)
	}
	if f.To == "" && len(f.Mappings) == 0 { // the workspace's documents said it
		f.To = s.mapping.Default.String()
	}
	f.LogFormat = "json"
	n := said(reflect.ValueOf(f))
	for i := 0; i < len(n.Content); {
		if slices.Contains(hereAlone, n.Content[i].Value) {
			n.Content = slices.Delete(n.Content, i, i+2)
		} else {
			i += 2
		}
	}
	b, err := yaml.Marshal(n)
	return string(b), err
}

// hereAlone are the keys that are about this machine: its files, its terminal, whom it acts as, which part of a copy it takes.
var hereAlone = []string{
	"workspace", "first", "principals", "impersonate", "json", "yes", "verbose", "shard", "shards", "plan", "events", "listen",
}

// said is v as YAML, without what is as it would be by itself.
func said(v reflect.Value) *yaml.Node {
	switch v.Kind() {
	case reflect.Struct:
		n := &yaml.Node{Kind: yaml.MappingNode}
		for i := range v.NumField() {
			if v.Field(i).IsZero() {
				continue
			}
			key := &yaml.Node{Kind: yaml.ScalarNode, Value: v.Type().Field(i).Tag.Get("yaml")}
			n.Content = append(n.Content, key, said(v.Field(i)))
		}
		return n
	case reflect.Slice:
		n := &yaml.Node{Kind: yaml.SequenceNode}
		for i := range v.Len() {
			n.Content = append(n.Content, said(v.Index(i)))
		}
		return n
	}
	n := new(yaml.Node)
	_ = n.Encode(v.Interface()) // texts, numbers and truth values have no way to fail
	return n
}

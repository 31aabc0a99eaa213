package cluster

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"transship/internal/ref"
	"transship/internal/references"
	"transship/internal/rewrite/mention"
)

const h = "123456789012.dkr.ecr.us-east-1.amazonaws.com"

// oracle knows that team/api is at the target.
type oracle struct{}

func (oracle) Ask(n references.Name) mention.Answer {
	if n.Repository.Name == "team/api" {
		return mention.Answer{Verdict: mention.Proved}
	}
	return mention.Answer{Verdict: mention.Unverified, Why: "nobody looked"}
}

func (oracle) Sources() []ref.Registry {
	return []ref.Registry{{Account: "123456789012", Region: "us-east-1"}}
}

func isAWS(h references.Host) bool { return h.Registry.Account == "602401143452" }

func TestRead(t *testing.T) {
	t.Parallel()
	text := `{"apiVersion":"v1","items":[
{"kind":"Pod","metadata":{"name":"api-7c9f-x","namespace":"shop","labels":{"pod-template-hash":"7c9f"},"ownerReferences":[{"kind":"ReplicaSet","name":"api-7c9f","controller":true}]},
 "spec":{"initContainers":[{"image":"` + h + `/team/init:1"}],"containers":[{"image":"` + h + `/team/api:1.4.2"}],"ephemeralContainers":[{"image":"` + h + `/team/debug:1"}]},"status":{"phase":"Running"}},
{"kind":"ReplicaSet","metadata":{"name":"api-7c9f","namespace":"shop","ownerReferences":[{"kind":"Deployment","name":"api","controller":true}]},"spec":{"replicas":2,"template":{"spec":{"containers":[{"image":"` + h + `/team/api:1.4.2"}]}}}},
{"kind":"ReplicaSet","metadata":{"name":"api-old","namespace":"shop","ownerReferences":[{"kind":"Deployment","name":"api","controller":true}]},"spec":{"replicas":0,"template":{"spec":{"containers":[{"image":"` + h + `/team/api:0.1"}]}}}},
{"kind":"Deployment","metadata":{"name":"api","namespace":"shop"},"spec":{"template":{"spec":{"containers":[{"image":"` + h + `/team/api:1.4.2"}]}}}},
{"kind":"Pod","metadata":{"name":"web-5d-y","namespace":"shop","labels":{"pod-template-hash":"5d"},"ownerReferences":[{"kind":"ReplicaSet","name":"web-5d","controller":true}]},"spec":{"containers":[{"image":"` + h + `/team/web:1"}]}},
{"kind":"Deployment","metadata":{"name":"web","namespace":"shop"},"spec":{"template":{"spec":{"containers":[{"image":"nginx:1"}]}}}},
{"kind":"Pod","metadata":{"name":"lost","namespace":"shop","ownerReferences":[{"kind":"Job","name":"gone","controller":true}]},"spec":{"containers":[{"image":"` + h + `/team/job:1"}]}},
{"kind":"Pod","metadata":{"name":"done","namespace":"shop"},"spec":{"containers":[{"image":"` + h + `/team/done:1"}]},"status":{"phase":"Succeeded"}},
{"kind":"SparkApplication","metadata":{"name":"spark","namespace":"data"},"spec":{"image":"` + h + `/team/spark:1","x":"210987654321.dkr.ecr.us-east-1.amazonaws.com/x/y:1","eks":"602401143452.dkr.ecr.us-west-2.amazonaws.com/eks/pause:3.5"}},
{"kind":"DaemonSet","metadata":{"name":"none","namespace":"data"},"spec":{}}
],"kind":"List"}
{"kind":"CronJob","metadata":{"name":"single","namespace":"ops"},"spec":{"jobTemplate":{"image":"` + h + `/team/api:1"}}}
`
	got, err := Read(strings.NewReader(text), oracle{}, isAWS)
	if err != nil {
		t.Fatal(err)
	}
	var lines []string
	for _, u := range got.Uses {
		lines = append(lines, fmt.Sprintf("%s %s/%s %s %v", u.Namespace, u.Kind, u.Name, strings.ReplaceAll(u.Image, h, "H"), u.Migrated))
	}
	want := []string{
		"data SparkApplication/spark H/team/spark:1 false",
		"data SparkApplication/spark 210987654321.dkr.ecr.us-east-1.amazonaws.com/x/y:1 false",
		"ops CronJob/single H/team/api:1 true",
		"shop Deployment/api H/team/api:1.4.2 true",
		"shop Deployment/api H/team/debug:1 false",
		"shop Deployment/api H/team/init:1 false",
		"shop Deployment/web H/team/web:1 false",
		"shop Pod/lost H/team/job:1 false",
	}
	if !slices.Equal(lines, want) || got.Objects != 11 {
		t.Errorf("got  %q\nwant %q", lines, want)
	}
	first := got.First()
	if len(first) != 7 || first[0] != h+"/team/api:1" || slices.ContainsFunc(first, func(s string) bool { return strings.Contains(s, "210987654321") }) {
		t.Errorf("%q", first)
	}
}

func TestReadRefuses(t *testing.T) {
	t.Parallel()
	for text, say := range map[string]string{
		"": "not what kubectl prints", "[]": "not what kubectl prints", "{}": "not what kubectl prints", "NAME READY\n": "invalid character",
		`{"items":[{"kind":`: "ends in the midst", `{"items":{}}`: "not what kubectl prints", `{"items":[{"kind":1}]}`: "item 0",
	} {
		if _, err := Read(strings.NewReader(text), oracle{}, isAWS); err == nil || !strings.Contains(err.Error(), say) {
			t.Errorf("%q: %v", text, err)
		}
	}
}

func FuzzRead(f *testing.F) {
	f.Add(`{"items":[{"kind":"Pod","metadata":{"name":"a"},"spec":{"image":"` + h + `/team/api:1"}}]}`)
	f.Fuzz(func(t *testing.T, text string) {
		got, err := Read(strings.NewReader(text), oracle{}, isAWS)
		if err == nil && len(got.First()) > len(got.Uses) {
			t.Error("more images than uses")
		}
	})
}

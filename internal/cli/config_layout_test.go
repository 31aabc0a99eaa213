package cli

import (
	"testing"

	"transship/internal/governance/layout"
	"transship/internal/ref"
)

// What a layout proposes can be pasted into the configuration, and says there what it meant.
func TestALayoutIsAConfiguration(t *testing.T) {
	t.Parallel()
	registry := ref.Registry{Account: "123456789012", Region: "us-east-1"}
	for _, to := range []string{
		"us-docker.pkg.dev/my-gcp-project/app-images", "us-docker.pkg.dev/example.com/my-gcp-project/app-images/moved", "eu.gcr.io/my-gcp-project",
	} {
		target, err := ref.ParseTarget(to)
		if err != nil {
			t.Fatal(err)
		}
		in := layout.Input{Base: target}
		for _, name := range []string{"team/api", "team/web", "base/go", "base/java", "web", "3scale/a__b.c"} {
			s := layout.Source{Repository: registry.Repository(name), Traits: layout.Traits{Immutable: name[0] == 'b', Scanned: name[0] == 't', Key: "k\nto: x"}}
			in.Sources = append(in.Sources, s)
		}
		p := layout.Propose(in)
		c, err := parseConfig([]byte("to: " + to + "\n" + p.YAML()))
		if err != nil {
			t.Fatalf("%v\n%s", err, p.YAML())
		}
		m, err := c.rules()
		if err != nil || len(m.Rules) != len(p.Rules) || len(m.Rules) == 0 {
			t.Fatalf("%d rules of %d, %v", len(m.Rules), len(p.Rules), err)
		}
		for _, s := range in.Sources {
			want, wantErr := p.Mapping().Map(s.Repository)
			if got, err := m.Map(s.Repository); got != want || err != nil || wantErr != nil {
				t.Errorf("%s goes to %s and not to %s, %v, %v", s.Repository, got, want, err, wantErr)
			}
		}
	}
}

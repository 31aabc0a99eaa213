package mention

import "testing"

func TestTypeOf(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		name, text string
		want       Type
	}{
		{"deploy/app.yaml", "image: x\n", YAML},
		{"deploy/app.YML", "", YAML},
		{"chart/templates/deployment.yaml", "image: {{ .Values.image }}\n", Template},
		{"chart/templates/cm.yaml", "  {{- if .x }}\n", Template},
		{"chart/templates/_helpers.tpl", "", Template},
		{".github/workflows/ci.yaml", "env:\n  IMAGE: ${{ steps.x.outputs.y }}\n", YAML},
		{"values.yaml", "# {{ a comment }}\nimage: x\n", YAML},
		{"Dockerfile", "", Dockerfile},
		{"build/api.Dockerfile", "", Dockerfile},
		{"Dockerfile.dev", "", Dockerfile},
		{"Containerfile", "", Dockerfile},
		{"Jenkinsfile", "", Groovy},
		{"Jenkinsfile.release", "", Groovy},
		{"Makefile", "", Shell},
		{".env", "", Shell},
		{"run", "#!/usr/bin/env bash\n", Shell},
		{"run", "#!/usr/bin/env python3\n", Code},
		{"task", "{\"image\": 1}", JSON},
		{"task.json.j2", "", Template},
		{"unknown", "apiVersion: v1\n", YAML},
		{"unknown", "---\n{{ .x }}\n", Template},
		{"unknown", "FROM x\n", Dockerfile},
		{"unknown", "hello\n", Plain},
		{"main.tf", "", HCL},
		{"x.tfvars", "", HCL},
		{"README.md", "", Markdown},
		{"a.go", "", Code},
		{"notes.txt", "{", Plain},
		{"", "", Plain},
	} {
		if got := TypeOf(test.name, []byte(test.text)); got != test.want {
			t.Errorf("%s (%q) is %s, not %s", test.name, test.text, got, test.want)
		}
	}
}

func FuzzTypeOf(f *testing.F) {
	f.Add("x.yaml", []byte(": {{"))
	f.Add("x", []byte("#!"))
	f.Fuzz(func(_ *testing.T, name string, text []byte) { TypeOf(name, text) })
}

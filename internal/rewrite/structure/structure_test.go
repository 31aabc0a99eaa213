package structure

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"testing/fstest"

	"pgregory.net/rapid"

	"transship/internal/ref"
	"transship/internal/references"
	"transship/internal/rewrite/mention"
)

func in(m map[string]string) tree {
	files := fstest.MapFS{}
	for p, text := range m {
		files[p] = &fstest.MapFile{Data: []byte(text)}
	}
	return tree{files}
}

func judged(file string, typ mention.Type, text string) (string, mention.Judgement) {
	f := mention.File{Path: file, Text: []byte(text), Type: typ}
	j := Judge(f, oracle{}, in(map[string]string{file: text}))
	out, _ := apply(f.Text, j.Edits)
	return string(out), j
}

// TestDigest holds the digests of two public charts (bitnami/wordpress, early 2025, BetterStackHQ/logs-helm-chart 1.1.3), and
// so the escaping and the order of Helm.
func TestDigest(t *testing.T) {
	t.Parallel()
	const bitnami = "oci://registry-1.docker.io/bitnamicharts"
	for _, c := range []struct {
		want         string
		wanted, lock []*dependency
	}{
		{
			"sha256:3426d768d431843713b2527ff564792332f0019a69c03e605134725f10a65cc9",
			[]*dependency{
				{Name: "memcached", Version: "7.x.x", Repository: bitnami, Condition: "memcached.enabled"},
				{Name: "mariadb", Version: "20.x.x", Repository: bitnami, Condition: "mariadb.enabled"},
				{Name: "common", Version: "2.x.x", Repository: bitnami, Tags: []string{"bitnami-common"}},
			},
			[]*dependency{
				{Name: "memcached", Version: "7.6.1", Repository: bitnami},
				{Name: "mariadb", Version: "20.2.2", Repository: bitnami},
				{Name: "common", Version: "2.29.1", Repository: bitnami},
			},
		},
		{
			"sha256:3dedd389e47d930d7b77415a4f15757414560e0c03be7a311ccfee24eaafa7e6",
			[]*dependency{
				{Name: "metrics-server", Version: ">=0", Repository: "https://kubernetes-sigs.github.io/metrics-server/", Condition: "metrics-server.enabled"},
				{Name: "vector", Version: ">=0", Repository: "https://helm.vector.dev"},
			},
			[]*dependency{
				{Name: "metrics-server", Version: "3.12.1", Repository: "https://kubernetes-sigs.github.io/metrics-server/"},
				{Name: "vector", Version: "0.35.0", Repository: "https://helm.vector.dev"},
			},
		},
	} {
		if got := hash(c.wanted, c.lock); got != c.want {
			t.Errorf("got %s, want %s", got, c.want)
		}
	}
}

// TestLockInAnyOrder holds that a lock comes out the same whether the chart's file was rewritten before it or not: a run that
// was interrupted between the two is finished by the next.
func TestLockInAnyOrder(t *testing.T) {
	t.Parallel()
	chart := "dependencies:\n- name: common\n  version: ~1.2.0\n  repository: oci://" + h + "/charts\n"
	deps := []*dependency{{Name: "common", Version: "~1.2.0", Repository: "oci://" + h + "/charts"}}
	locked := []*dependency{{Name: "common", Version: "1.2.3", Repository: "oci://" + h + "/charts"}}
	lock := mention.File{Path: "Chart.lock", Text: []byte("dependencies:\n- name: common\n  repository: oci://" + h + "/charts\n  version: 1.2.3\ndigest: " + hash(deps, locked) + "\n")}
	deps[0].Repository, locked[0].Repository = "oci://"+ar+"/charts", "oci://"+ar+"/charts"
	for _, c := range []string{chart, strings.ReplaceAll(chart, h, ar)} {
		j := Judge(lock, oracle{}, in(map[string]string{"Chart.yaml": c}))
		out, _ := apply(lock.Text, j.Edits)
		if !strings.Contains(string(out), "repository: oci://"+ar+"/charts\n") || !strings.Contains(string(out), hash(deps, locked)) || len(j.Findings) > 0 {
			t.Errorf("with\n%s\ngot\n%s%+v", c, out, j.Findings)
		}
		if len(j.Edits) != 2 || j.Edits[0].Group == 0 || j.Edits[0].Group != j.Edits[1].Group {
			t.Errorf("the edits do not belong together: %+v", j.Edits)
		}
	}
}

// TestBaseInAnyOrder holds that a match key comes out the same whether its base was rewritten before it or not.
func TestBaseInAnyOrder(t *testing.T) {
	t.Parallel()
	overlay := mention.File{Path: "overlay/kustomization.yaml", Type: mention.YAML, Text: []byte("resources: [../base]\nimages:\n- name: " + h + "/team/api\n  newTag: v2\n")}
	for base, want := range map[string]string{h + "/team/api:v1": ar + "/team/api", ar + "/team/api:v1": ar + "/team/api", ar + "/team/api-worker:v1": h + "/team/api"} {
		files := in(map[string]string{"base/kustomization.yaml": "resources: [pod.yaml]", "base/pod.yaml": "image: " + base + "\n"})
		j := Judge(overlay, oracle{}, files)
		if out, _ := apply(overlay.Text, all(overlay, j)); !strings.Contains(string(out), "- name: "+want+"\n") {
			t.Errorf("with %s\n%s", base, out)
		}
	}
}

// TestLockThatCannotBeRead holds that such a lock is kept as it is.
func TestLockThatCannotBeRead(t *testing.T) {
	t.Parallel()
	f := mention.File{Path: "Chart.lock", Type: mention.YAML, Text: []byte("dependencies:\n- name: web\n  repository: oci://" + h + "/charts/web\n<<<<<<< HEAD\n")}
	j := Judge(f, oracle{}, nil)
	if edits := all(f, j); len(edits) > 0 || len(j.Findings) != 1 || j.Findings[0].Kind != mention.SplitUnknown {
		t.Errorf("%+v %+v", edits, j.Findings)
	}
}

// TestPairsBelongTogether holds that the two edits of a pair have one group, and say what they move.
func TestPairsBelongTogether(t *testing.T) {
	t.Parallel()
	_, j := judged("values.yaml", mention.YAML, "a: {registry: "+h+", repository: team/web, tag: v1}\nb: {registry: "+h+", repository: team/api}\n")
	if len(j.Edits) != 4 || j.Edits[0].Group != j.Edits[1].Group || j.Edits[2].Group != j.Edits[3].Group || j.Edits[0].Group == j.Edits[2].Group {
		t.Fatalf("%+v", j.Edits)
	}
	want := references.Name{Repository: home.Repository("team/web"), Tag: "v1"}
	if e := j.Edits[1]; e.Of != want || e.To.String() != ar+"/team/web" {
		t.Errorf("%+v", e)
	}
}

// TestOtherTypes holds what the readers of other languages take, and leave.
func TestOtherTypes(t *testing.T) {
	t.Parallel()
	const name = "my-gcp-project/app-images/team/web"
	for _, c := range []struct {
		typ      mention.Type
		in, want string
	}{
		{mention.JSON, `[{"registry": "` + h + `"}, {"repository": "team/web"}]`, ""},
		{mention.JSON, "{ // why\n\"a\": \"${\",\n\"registry\":\n\"" + h + `", "repository": "team/web",}`, "{ // why\n\"a\": \"${\",\n\"registry\":\n\"us-docker.pkg.dev\", \"repository\": \"" + name + `",}`},
		{mention.JSON, `{"registry": "` + h + `", "repository": "team/web"`, `{"registry": "us-docker.pkg.dev", "repository": "` + name + `"`},
		{mention.HCL, "x {\n  /* } */ registry = \"" + h + "\" # y\n  repository = \"team/web\"\n}", "x {\n  /* } */ registry = \"us-docker.pkg.dev\" # y\n  repository = \"" + name + "\"\n}"},
		{mention.HCL, "x {\n  registry = \"" + h + "\"\n}\ny {\n  repository = \"team/web\"\n}", ""},
		{mention.HCL, "x {\n  registry = \"" + h + "\"\n  repository = \"team/web\" == var.x ? 1 : 2\n}", ""},
		{mention.HCL, "a = {\n registry: \"" + h + "\",\n repository: \"team/web\" }", "a = {\n registry: \"us-docker.pkg.dev\",\n repository: \"" + name + "\" }"},
		{mention.Code, "x = {\n  \"registry\": \"" + h + "\",\n  \"repository\": \"team/web\",\n}", "x = {\n  \"registry\": \"us-docker.pkg.dev\",\n  \"repository\": \"" + name + "\",\n}"},
		{mention.Groovy, "sh \"helm upgrade x y --set image.registry=" + h + " --set image.repository=team/web\"", "sh \"helm upgrade x y --set image.registry=us-docker.pkg.dev --set image.repository=" + name + "\""},
		{mention.Code, "run(\"--set\", \"image.registry=" + h + "\",\n    \"--set\", \"image.repository=team/web\")", "run(\"--set\", \"image.registry=us-docker.pkg.dev\",\n    \"--set\", \"image.repository=" + name + "\")"},
		{mention.Shell, "cat <<EOF\nimage:\n  registry: " + h + "\n  repository: team/web\nEOF\n", "cat <<EOF\nimage:\n  registry: us-docker.pkg.dev\n  repository: " + name + "\nEOF\n"},
		{mention.Code, "oci_pull(\n    name = \"base\",\n    registry = \"" + h + "\",\n    repository = \"team/web\",\n)\n", "oci_pull(\n    name = \"base\",\n    registry = \"us-docker.pkg.dev\",\n    repository = \"" + name + "\",\n)\n"},
		{mention.Code, "pull(\n  registry = \"" + h + "\",\n)\npull(\n  repository = \"team/web\",\n)\n", ""},
		{mention.Code, "registry = \"" + h + "\"\nrepository = \"team/web\"\n", ""},
		{mention.Shell, "registry=\"" + h + "\"\nrepository=\"team/web\"\n", ""},
		{mention.Template, "a:\n  registry: " + h + "\n  repository: team/web\n  tag: {{ .tag }}\n", "a:\n  registry: us-docker.pkg.dev\n  repository: " + name + "\n  tag: {{ .tag }}\n"},
		{mention.YAML, "a: &a\n  registry: " + h + "\n  b: *a\n", ""},
		{mention.YAML, "? {x: y}\n: registry: " + h + "\n  repository: team/web\n", "? {x: y}\n: registry: us-docker.pkg.dev\n  repository: " + name + "\n"},
		{mention.YAML, "registry: !!str " + h + "\nrepository: &x team/web\n", "registry: !!str us-docker.pkg.dev\nrepository: &x " + name + "\n"},
		{mention.YAML, "a: \"x\u2028y\"\nregistry: " + h + "\nrepository: team/web\n", "a: \"x\u2028y\"\nregistry: us-docker.pkg.dev\nrepository: " + name + "\n"},
		{mention.YAML, "{\"registry\": \"" + h + "\",\n\t\"repository\": \"team/web\"}", "{\"registry\": \"us-docker.pkg.dev\",\n\t\"repository\": \"" + name + "\"}"},
	} {
		want := c.want
		if want == "" {
			want = c.in
		}
		if got, _ := judged("file", c.typ, c.in); got != want {
			t.Errorf("%s\n%s\ngot\n%s\nwant\n%s", c.typ, c.in, got, want)
		}
	}
}

// TestPositions holds that values are found in YAML whatever is around them, and that no other byte changes: a document is
// made of pieces of which it is known what becomes of them.
func TestPositions(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		eol := rapid.SampledFrom([]string{"\n", "\r\n"}).Draw(t, "eol")
		noise := rapid.SampledFrom([]string{"", "# ä comment 日本", "x: \"ü\u2028\"", "y: 'it''s'", "z: |\n  registry of texts\n  é", "", "  "})
		quote := rapid.SampledFrom([]string{"", "'", `"`})
		end := rapid.SampledFrom([]string{"", "  ", " # 日本", "\t# tab"})
		var before, after strings.Builder
		write := func(a, b string) {
			before.WriteString(strings.ReplaceAll(a, "\n", eol))
			after.WriteString(strings.ReplaceAll(b, "\n", eol))
		}
		for i := range rapid.IntRange(1, 5).Draw(t, "blocks") {
			if rapid.Bool().Draw(t, "document") {
				write("---\n", "---\n")
			}
			key := fmt.Sprintf("\"ключ%d\":\n", i)
			write(key, key)
			lines := [][2]string{}
			q, e := quote.Draw(t, "quote"), end.Draw(t, "end")
			registry := rapid.SampledFrom([]string{h, "docker.io", home.HostIn(ref.HostForm{FIPS: true})}).Draw(t, "registry")
			name := rapid.SampledFrom([]string{"team/web", "team/api", "team/legacy", "old/name"}).Draw(t, "name")
			to, ok := arrived[name]
			newRegistry, newName := registry, name
			if ok && registry != "docker.io" {
				newRegistry, newName = "us-docker.pkg.dev", "my-gcp-project/app-images/"+to
			}
			lines = append(lines, [2]string{"registry: " + q + registry + q + e, "registry: " + q + newRegistry + q + e})
			q, e = quote.Draw(t, "quote"), end.Draw(t, "end")
			lines = append(lines, [2]string{"repository:  " + q + name + q + e, "repository:  " + q + newName + q + e})
			for range rapid.IntRange(0, 3).Draw(t, "noises") {
				n := noise.Draw(t, "noise")
				if slices.ContainsFunc(lines, func(l [2]string) bool { return n != "" && n[0] != '#' && n[0] != ' ' && l[0] == n }) {
					continue
				}
				lines = append(lines, [2]string{n, n})
			}
			for _, l := range rapid.Permutation(lines).Draw(t, "lines") {
				write("  "+strings.ReplaceAll(l[0], "\n", "\n  ")+"\n", "  "+strings.ReplaceAll(l[1], "\n", "\n  ")+"\n")
			}
		}
		if got, _ := judged("values.yaml", mention.YAML, before.String()); got != after.String() {
			t.Fatalf("of\n%s\ngot\n%s\nwant\n%s", before.String(), got, after.String())
		}
	})
}

// FuzzJudge holds what the engine relies on, for every type: no panic; spans that are inside, in order and apart; edits that
// can be taken back, after which nothing is left to edit.
func FuzzJudge(f *testing.F) {
	types := []mention.Type{
		mention.YAML, mention.Template, mention.JSON, mention.HCL, mention.Dockerfile, mention.Shell, mention.Groovy, mention.Markdown, mention.Code, mention.Plain,
	}
	paths := []string{"a.yaml", "kustomization.yaml", "Chart.lock", "helmfile.yaml", "Chart.yaml"}
	for _, seed := range []string{
		"a: &a {registry: " + h + ", repository: team/web}\nb: {<<: *a}\nc: *a\n", "registry: >-\n  " + h + "\nrepository: |-\n  team/web\n",
		"x { set {\n name = \"i.registry\"\n value = \"" + h + "\" }\n set = [{name = \"i.repository\", value = \"team/web\"}]\n}", "<<EOT\n" + h,
		"--set a.registry=" + h + ",a.repository=team/web \\\n --set-string 'b=" + h + "'", "images:\n- name: " + h + "/team/api\n  newTag: '1'\nresources: [a.yaml, .]\n",
		"dependencies:\n- name: web\n  repository: oci://" + h + "/charts\n  version: 1.0.0\ndigest: sha256:x\n", "X=${A:-" + h + "/team/web}-dev ${X}/y",
		"{\"registry\":\"" + h + "\",\"image\":\"team/api:1\"}", "repositories: [{name: a, url: " + h + "/charts}]\nreleases: [{chart: a/web}]\n",
		"\tregistry: &x " + h + "\n\t repository: team/web\n- - registry: " + h, "kind: HelmRepository\nspec: {url: oci://" + h + "/charts}\n",
	} {
		for i := range types {
			f.Add([]byte(seed), uint8(i), uint8(i))
		}
	}
	f.Fuzz(func(t *testing.T, text []byte, typ, p uint8) {
		file := mention.File{Path: paths[int(p)%len(paths)], Text: text, Type: types[int(typ)%len(types)]}
		files := map[string]string{file.Path: string(text), "Chart.yaml": string(text), "a.yaml": "image: " + h + "/team/api:1\n"}
		j := Judge(file, oracle{}, in(files))
		end := 0
		for _, e := range j.Edits {
			if e.Start < end || e.End <= e.Start || e.End > len(text) || e.New == "" {
				t.Fatalf("the edit %+v is wrong: %d bytes, the last one ended at %d", e, len(text), end)
			}
			end = e.End
		}
		for _, k := range j.Keep {
			if k.Start < 0 || k.End <= k.Start || k.End > len(text) {
				t.Fatalf("what is kept is wrong: %+v", k)
			}
		}
		for _, x := range j.Findings {
			if x.Line < 1 || x.Kind == "" || x.Why == "" || x.Do == "" || len(x.Text) > 200 || strings.ContainsAny(x.Text, "\n\r\x1b") {
				t.Fatalf("the finding is wrong: %+v", x)
			}
		}
		out, back := apply(text, j.Edits)
		if again, _ := apply(out, back); string(again) != string(text) {
			t.Fatalf("taking it back gives %q", again)
		}
		if len(j.Edits) == 0 {
			return
		}
		files[file.Path] = string(out)
		if left := Judge(mention.File{Path: file.Path, Text: out, Type: file.Type}, oracle{}, in(files)); len(left.Edits) > 0 {
			t.Fatalf("a second run finds more: %+v\nin %q", left.Edits, out)
		}
	})
}

func BenchmarkJudge(b *testing.B) {
	text := []byte(strings.Repeat("---\nimage:\n  registry: "+h+"\n  repository: team/web\n  tag: \"1.4.2\"\nother:\n  command: [serve]\n", 1000))
	for _, typ := range []mention.Type{mention.YAML, mention.Template, mention.JSON, mention.HCL, mention.Plain} {
		b.Run(string(typ), func(b *testing.B) {
			b.SetBytes(int64(len(text)))
			for b.Loop() {
				Judge(mention.File{Path: "values.yaml", Text: text, Type: typ}, oracle{}, nil)
			}
		})
	}
}

package structure

import (
	"bytes"
	"path"
	"slices"
	"strings"

	"transship/internal/rewrite/mention"
)

// gitOps judges what tools of GitOps have in a form of their own.
func (j *judge) gitOps(root *node) {
	walk(root, "", map[*node]bool{}, func(m *node, key string) {
		if key == "kustomize" {
			for _, i := range m.list("images") {
				j.argoImage(i)
			}
		}
	})
}

// argoImage judges an entry of Argo CD's kustomize.images: [NAME=]NEWNAME:TAG. What is before the equals sign, or all where
// there is none, is compared with what the path in the source holds.
func (j *judge) argoImage(i *node) {
	if i.kind != scalar {
		return
	}
	name, _, renamed := strings.Cut(i.text, "=")
	for r := range j.finder.Find([]byte(name)) {
		if r.Open || r.Start != 0 {
			return
		}
		j.keep(i.part(mention.Span{End: len(name)}))
		if renamed {
			return // what it becomes is a plain reference
		}
		j.tell(i)
		j.find(i.where(), mention.MatchKey,
			"Kustomize compares this name with the images of the application's source, which need not be this tree.",
			"Write OLD=NEW:TAG, with the new name behind the equals sign; or, when the source has been rewritten too, replace the name "+
				"here in the same change.")
		return
	}
}

// credentials tells of credentials that go with ECR: Flux has them as provider: aws beside the name, Argo CD in a secret.
func (j *judge) credentials(m *node) {
	if n := m.get("provider"); n != nil && n.kind == scalar && n.text == "aws" {
		for _, key := range []string{"url", "image", "address"} {
			if j.hosts.in([]byte(m.word(key))) {
				j.find(n.where(), mention.Credentials, "Flux fetches credentials of AWS for this source.",
					"Set provider: gcp, and give the controller's service account the right to read from Artifact Registry.")
				return
			}
		}
	}
	if n := m.get("url"); n != nil && n.kind == scalar && m.get("enableOCI") != nil && j.hosts.in([]byte(n.text)) {
		j.tell(n)
		j.keep(n.span)
		j.find(n.where(), mention.Credentials, "It holds Argo CD's credentials for ECR.",
			"Add a secret for Artifact Registry, and remove this one when nothing is taken from ECR.")
	}
}

// repositories judges prefixes of charts whose names are elsewhere: in Flux's HelmRepository, and in helmfile.
func (j *judge) repositories(roots []*node) {
	var all []*node
	for _, r := range roots {
		all = append(all, r)
		all = append(all, r.list("items")...)
	}
	for _, r := range all {
		if r.word("kind") == "HelmRepository" {
			j.helmRepository(r, all)
		}
		for _, repository := range r.list("repositories") {
			j.helmfile(repository, all)
		}
	}
}

// helmRepository judges the prefix in a HelmRepository: by the releases in the same file, and in those beside it that the
// folder's kustomization lists.
func (j *judge) helmRepository(r *node, all []*node) {
	url := r.path("spec", "url")
	if url == nil || url.kind != scalar {
		return
	}
	p, ok := j.hosts.place(url.text)
	if !ok {
		return
	}
	name := r.path("metadata").word("name")
	var charts []chartUse
	if j.broken {
		all = nil // not all charts are known
	} else {
		all = append(slices.Clip(all), j.beside()...)
	}
	for _, d := range all {
		spec := d.path("spec", "chart", "spec")
		if d.word("kind") == "HelmRelease" && spec.path("sourceRef").word("kind") == "HelmRepository" && spec.path("sourceRef").word("name") == name {
			charts = append(charts, chartUse{spec.word("chart"), spec.word("version")})
		}
		if d.word("kind") == "HelmChart" && d.path("spec", "sourceRef").word("name") == name {
			charts = append(charts, chartUse{d.path("spec").word("chart"), d.path("spec").word("version")})
		}
	}
	j.prefix(url, p, charts, 0)
}

// beside are the documents of the files that the folder's kustomization lists.
func (j *judge) beside() []*node {
	if j.tree == nil {
		return nil
	}
	var out []*node
	dir := path.Dir(j.file.Path)
	for _, k := range kustomizationNames {
		text, err := j.tree.Read(path.Join(dir, k))
		if err != nil {
			continue
		}
		root, _ := parse(text, chunk{0, len(text)})
		for _, i := range root.list("resources") {
			file := path.Join(dir, i.text)
			if i.kind != scalar || file == j.file.Path || strings.HasPrefix(file, "../") || len(out) > maxBases {
				continue
			}
			text, err := j.tree.Read(file)
			if err != nil || !bytes.Contains(text, []byte("sourceRef")) {
				continue
			}
			for _, c := range chunks(text) {
				if d, _ := parse(text, c); d != nil {
					out = append(out, d)
				}
			}
		}
		break
	}
	return out
}

// helmfile judges the prefix of a repository in a helmfile, by the releases in the same file.
func (j *judge) helmfile(repository *node, all []*node) {
	url := repository.get("url")
	name := repository.word("name")
	if url == nil || url.kind != scalar || name == "" {
		return
	}
	p, ok := j.hosts.place(url.text)
	if !ok {
		return
	}
	var charts []chartUse
	if j.broken {
		all = nil // not all charts are known
	}
	for _, d := range all {
		for _, release := range d.list("releases") {
			if chart, ok := strings.CutPrefix(release.word("chart"), name+"/"); ok {
				charts = append(charts, chartUse{chart, release.word("version")})
			}
		}
	}
	j.prefix(url, p, charts, 0)
}

package danger

import (
	"regexp"

	"transship/internal/rewrite/mention"
)

// pipelineRules are for pipelines that edit manifests: after the rewrite their patterns match nothing, and nobody hears of it.
var pipelineRules = []rule{
	{
		section: "5.9", kind: mention.PipelineEdit, keep: true,
		words: []string{"edit set image", "kustomize-image"},
		match: regexp.MustCompile(`\bkustomize\b(?s:.*?)\bedit\s+set\s+image\b|\bedit\s+set\s+image\b|--kustomize-image\b`),
		why:   "It overrides an image by the name that the base has: after the rewrite the name is another one, and the old image is deployed without an error.",
		do:    "Change both names together with the base, to {ref}:TAG, and let the job fail where the output of kustomize build does not have NEW.",
	},
	{
		section: "5.9", kind: mention.PipelineEdit, keep: true,
		words: []string{"sed", "perl", "awk", "replace", "sub(", "rpl ", "sd "},
		match: regexp.MustCompile(`(?s)(?:\bg?sed\b\s+(?:-|['"$\\s])|\bperl\s+-\S*[pin]|\bg?awk\b.*\bg?sub\(|\breplace(?:All|First)\s*\(|\b(?:re|Regex)\.(?:sub|Replace)\(|\bgsub!?\s*\(|\bpreg_replace\b|\s-c?replace\s|\brpl\s|\bsd\s+['"])`),
		not:   regexp.MustCompile(`(?s)\bsed\s+(?:-[nEr]+\s+)*['"]?s(.)[^'"]*(?:[|#/,@])(?:\\1)?(?:[|#/,@])g?['"]\s*[)"` + "`" + `]*\s*(?:\||$|\))`),
		where: all(isManifestPattern, isEdit),
		why:   "It edits manifests by a pattern: after the rewrite the pattern matches nothing, or puts the old name back, and a stale image is deployed without an error.",
		do:    "Change the pattern together with the manifests, to what is at {target}, and let the job fail where nothing was replaced, for example by a grep for the new image behind it.",
	},
	{
		section: "5.9", kind: mention.PipelineEdit, keep: true,
		words: []string{"yq ", "jq "},
		match: regexp.MustCompile(`(?s)\b[jy]q\b.*(?:[.\["](?:image(?:Uri|Name|Repository)?|repository|registry|newName)["']?\]?\s*\)?\s*\|?=[^=]|\bw(?:rite)?\b.*\bimage\b|\.name\s*==\s*["'\\]*[0-9]+\.dkr|\bimage\b.*\bsub\()`),
		not:   regexp.MustCompile(`(?s)\|?=\s*\\?["'](?:docker\.io|ghcr\.io|quay\.io|gcr\.io|[a-z0-9-]+-docker\.pkg\.dev|public\.ecr\.aws|registry\.k8s\.io|mcr\.microsoft\.com)/`),
		why:   "It writes an image into a manifest: after the rewrite it puts ECR's name back, or finds none to change.",
		do:    "Make it write the name at {target}, in the same change in which the job pushes there.",
	},
	{
		section: "5.9", kind: mention.PipelineEdit, keep: true,
		words: []string{"envsubst", "yaml-update-action", "update-kustomization", "gitops"},
		match: regexp.MustCompile(`\benvsubst\b|\byaml-update-action@|\bkustomize-edit`),
		where: onLine(image, 0),
		why:   "It fills ECR's name into a manifest when it runs: what the rewrite changes in files does not reach it.",
		do:    "Give it the name at {target}, in the same change in which the job pushes there.",
	},
	{
		section: "5.9", kind: mention.PipelineEdit, keep: true, types: markup,
		match: image,
		where: all(atKey(regexp.MustCompile(`^image$`)), either(
			all(underKey(regexp.MustCompile(`^artifacts$`)), inDocument(having(`(?m)^\s*"?apiVersion"?:\s*["']?skaffold/`, "skaffold/"))),
			all(inPath(regexp.MustCompile(`(?:^|/)devspace[^/]*\.ya?ml$`)), topKey(regexp.MustCompile(`^(?:images|dev)$`))),
		)),
		why: builderWhy, do: builderDo,
	},
	{
		section: "5.9", kind: mention.PipelineEdit, keep: true,
		words: []string{"docker_build", "custom_build"},
		match: regexp.MustCompile(`\b(?:docker|custom)_build\w*\(\s*(?:ref\s*=\s*)?["'][^"']*` + anyECR),
		where: inPath(regexp.MustCompile(`(?:^|/)(?:Tiltfile[^/]*|[^/]*\.tiltfile)$`)),
		why:   builderWhy, do: builderDo,
	},
}

const (
	builderWhy = "It builds and pushes this image, and puts the new tag into the manifests that name it so: when they have another name it changes none of them, and a stale image is deployed without an error."
	builderDo  = "Make it {ref} in the same change as the manifests, together with the login to {host}."
)

var (
	manifestPattern = regexp.MustCompile(`(?i)image["'\\]*\s*(?:\\s[*+]?|\[\[:space:\]\][*+]?|\s|\\\))*[:=]`)
	// otherImage is an image of another registry, or of Docker Hub.
	otherImage      = regexp.MustCompile(`image["'\\]*\s*:\s*["'\\]*(?:(?:[a-z0-9-]+\\?\.)+[a-z]{2,}\\?/|[a-z0-9_-]+\\?/[a-z0-9]|[a-z0-9-]+:)`)
	sourceInPattern = regexp.MustCompile(anyHost + `|` + escaped + `|\$\{?\{?[A-Za-z_. ]*(?:ECR|ecr)[A-Za-z_]*`)
	edits           = regexp.MustCompile(`\s-i\b|-[a-zA-Z]*i['".\s]|--in-place|-pi|\bapply\b|[^2&>-]>\s*[\w./$"'{]|\btee\b|write|sponge|replace(?:All|First)|Set-Content|Out-File|\.sub\(|\s-c?replace\s|kubectl|helm|git\b`)
)

// isManifestPattern holds where what is replaced or put is an image in a manifest, or where a host of ECR is in it.
func isManifestPattern(j *judge, at spot) bool {
	text := j.file.Text[at.Start:at.in.End]
	if sourceInPattern.Match(text) && (j.file.Type != mention.Code || manifestPattern.Match(text)) {
		return true
	}
	return manifestPattern.Match(text) && !otherImage.Match(text)
}

// isEdit holds where the outcome is written or deployed, rather than read.
func isEdit(j *judge, at spot) bool { return edits.Match(j.stretchOf(at)) }

package danger

import (
	"regexp"

	"transship/internal/rewrite/mention"
)

const (
	producerWhy = "It pushes to ECR. Half of a rewrite would break the push, so nothing in it is rewritten."
	producerDo  = "Move the push and its login together, to {target}, when ECR stops being the source; until then \"transship sync\" carries new images over."
	pushTags    = `["']?\S*` + ecrTarget
)

// producerRules are for what pushes to ECR: it goes on to do so until somebody moves push and login together.
var producerRules = []rule{
	{
		section: "5.8", kind: mention.Producer, keep: true, words: []string{" push", " tag", " manifest", " commit"},
		match: regexp.MustCompile(`\b(?:docker|podman|buildah|nerdctl|finch|img|ctr|DOCKER\)|DOCKER\}|DOCKER)\s+(?:-\S+\s+)*(?:image\s+|images\s+)?(?:push` + commandEnds + ecrTarget + `|tag\s+\S+\s+` + pushTags + `|commit\s+\S+\s+` + pushTags + `|manifest\s+(?:create|push|annotate)` + commandEnds + ecrTarget + `)`),
		why:   producerWhy, do: producerDo,
	},
	{
		section: "5.8", kind: mention.Producer, keep: true, words: []string{"build", "pack ", "bud"},
		match: regexp.MustCompile(`\b(?:build|buildx|bake|bud|pack|buildctl|ko)\b(?s:.*?)(?:\s(?:-t|--tag|--publish|--cache-to|--output|-o|--iidfile|--opt|--set)[\s=]+` + pushTags + `|\spush=true)`),
		where: onLine(image, 0),
		why:   producerWhy, do: producerDo,
	},
	{
		section: "5.8", kind: mention.Producer, keep: true, words: []string{"destination", "cache-repo", "cache-to"},
		match: regexp.MustCompile(`--(?:destination|cache-repo|cache-to|image-name-with-digest-file)["']?[\s=,]+["']?\S*` + anyECR),
		why:   producerWhy, do: producerDo,
	},
	{
		section: "5.8", kind: mention.Producer, keep: true, types: markup,
		match: regexp.MustCompile(`^\s*-\s+["']?\S*` + anyECR),
		where: onLine(regexp.MustCompile(`--(?:destination|cache-repo|cache-to|tag|push)["']?\s*$`), 1),
		why:   producerWhy, do: producerDo,
	},
	{
		section: "5.8", kind: mention.Producer, keep: true, types: markup,
		match: image,
		where: all(either(atKey(regexp.MustCompile(`^(?:tags|images?|cache-to|outputs|registry|repository|repo|destination|set)$`)), underKey(regexp.MustCompile(`^(?:tags|images|cache-to|outputs|set)$`))),
			inItem(having(`\buses:\s*['"]?(?:docker/(?:build-push-action|metadata-action|bake-action)|redhat-actions/(?:buildah-build|push-to-registry)|int128/kaniko-action|aevea/action-kaniko|\S*build-?push\S*|\S*push-to-?ecr\S*|depot/build-push-action|\S*/ecr-\S*)@`, "uses:"))),
		why: producerWhy, do: producerDo,
	},
	{
		section: "5.8", kind: mention.Producer, keep: true, words: []string{"copy", "push", " cp ", "append", "mutate", "sync", "attach", "sign", "attest", "tag"},
		match: regexp.MustCompile(`\bskopeo\s+(?:copy|sync)` + commandEnds + `docker://\S+\s+["']?docker://\S*` + anyECR + `|\bskopeo\s+copy` + commandEnds + `(?:dir|oci|docker-archive|docker-daemon|containers-storage):\S+\s+["']?docker://\S*` + anyECR +
			`|\bg?crane\s+(?:push|append|mutate|tag|rebase)` + commandEnds + ecrTarget + `|\bg?crane\s+(?:copy|cp)\s+(?:-\S+\s+)*\S+\s+` + pushTags +
			`|\bregctl\s+image\s+copy\s+(?:-\S+\s+)*\S+\s+` + pushTags + `|\boras\s+(?:push|attach)` + commandEnds + ecrTarget + `|\boras\s+(?:cp|copy)\s+(?:-\S+\s+)*\S+\s+` + pushTags +
			`|\bhelm\s+(?:cm-)?push` + commandEnds + ecrTarget + `|\bcosign\s+(?:sign|attest|attach|copy)` + commandEnds + ecrTarget + `|\b(?:flux\s+push|imgpkg\s+push|notation\s+sign)` + commandEnds + ecrTarget),
		why: producerWhy, do: producerDo,
	},
	{
		section: "5.8", kind: mention.Producer, keep: true, types: []mention.Type{mention.Groovy, mention.Code},
		words: []string{"docker.build", "push"},
		match: regexp.MustCompile(`\bdocker\.build\s*\(?\s*["'][^"']*` + anyECR + `|\bdocker\.image\s*\([^)]*` + anyECR + `[^)]*\)\s*\.push\b|\bimages?\.push\s*\(.*` + anyECR),
		why:   producerWhy, do: producerDo,
	},
	{
		section: "5.8", kind: mention.Producer, keep: true,
		words: []string{"<to>", "jib.to", "-dimage", "save image", "ko_docker_repo", "default_repo", "default-repo", "save  image"},
		match: regexp.MustCompile(`(?:<to>\s*<image>|jib\.to\.image[=\s:]|-Dimage=|-Djib\.to\.image=|SAVE\s+IMAGE\s+--push\s|\bKO_DOCKER_REPO\b|SKAFFOLD_DEFAULT_REPO|--default-repo)(?s:.*?)` + anyECR),
		why:   producerWhy, do: producerDo,
	},
	{
		section: "5.8", kind: mention.Producer, keep: true,
		match: image,
		where: all(inFile(having(`\bjib\b`, "jib")), onLine(regexp.MustCompile(`(?:<to>\s*$|<to>\s*(?:<!--.*-->)?\s*\n|\bto\s*\{\s*\n|\bjib\s*\{\s*to\s*\{)`), 3), onLine(regexp.MustCompile(`\bimage\b`), 0)),
		why:   producerWhy, do: producerDo,
	},
	{
		section: "5.8", kind: mention.Producer, keep: true,
		match: image,
		where: either(
			all(inPath(regexp.MustCompile(`(?:^|/)\.?goreleaser[^/]*\.ya?ml$`)), underKey(regexp.MustCompile(`^(?:image_templates|images|name_template|repository|manifest_templates|tags)$`))),
			all(inPath(regexp.MustCompile(`(?:^|/)[^/]*bake[^/]*\.(?:hcl|json)$`)), underKey(regexp.MustCompile(`^(?:tags|cache-to|output)$`))),
			all(inPath(regexp.MustCompile(`(?:^|/)(?:(?:BUILD|WORKSPACE|MODULE)(?:\.bazel)?|[^/]*\.bzl)$`)), onLine(regexp.MustCompile(`\b(?:oci_push|container_push|docker_push)\s*\(`), 8)),
			all(inPath(regexp.MustCompile(`\.pkr\.(?:hcl|json)$`)), onLine(regexp.MustCompile(`\brepository|tags?\b|login_server`), 0)),
			all(inDocument(having(`(?m)^\s*apiVersion:\s*["']?(?:kpack\.io|shipwright\.io|build\.openshift\.io|imagetoolkit\.io)/`, "kpack.io", "shipwright.io", "build.openshift.io", "imagetoolkit.io")), either(atKey(regexp.MustCompile(`^tag$`)), underKey(regexp.MustCompile(`^output$`)))),
		),
		why: producerWhy, do: producerDo,
	},
	{
		section: "5.4", kind: mention.Producer, once: aRun,
		words: []string{"aws-ecr", "plugins/", "buildandpush", "ecrpush", "kaniko-ecr", "push-"},
		match: regexp.MustCompile(`\bcircleci/aws-ecr@|\baws-ecr/[a-z_-]+|\baws-ecr-push-image\b|\bplugins/(?:kaniko-)?ecr\b|\bBuildAndPushECR\b|\bECRPushImage@|\bkaniko-ecr\b|\bbuild-push-ecr\b|\bpush-(?:image-)?to-ecr\b|\becr-push-image\b`),
		not:   regexp.MustCompile(`https://|aws-ecr/issues`),
		why:   "It builds, logs in and pushes to ECR, with a host that is not in the text.",
		do:    "Put a step in its place that logs in to {host} and pushes to {target}, when ECR stops being the source.",
	},
	{
		section: "5.8", kind: mention.Producer, keep: true, types: markup,
		match: image,
		where: inItem(having(`(?ms)docker_image_push:|docker_image:.*^\s*push:\s*["']?(?:true|yes)\b`, "docker_image")),
		why:   producerWhy, do: producerDo,
	},
	{
		section: "5.8", kind: mention.Producer, keep: true, types: []mention.Type{mention.Code},
		match: image,
		where: all(inFile(having(`pulumi`, "pulumi")), onLine(having(`\bdocker(?:_build)?\.(?:New)?(?:Registry)?Image\s*\(`, "Image"), 6),
			onLine(regexp.MustCompile(`\b(?:imageName|image_name|ImageName|tags|Tags|name|Name)\b`), 1)),
		why: producerWhy, do: producerDo,
	},
	{
		section: "5.4", kind: mention.Producer, keep: true, types: markup,
		match: hostMiddle,
		where: all(inItem(having(`\bplugins/(?:kaniko-)?ecr\b|\bkaniko-ecr\b|\bBuildAndPushECR\b|\baws-ecr-push-image\b|\baws-ecr/[a-z_-]*push`, "ecr", "ECR")),
			atKey(regexp.MustCompile(`^(?:repo|registry|repository|imageName|IMAGE_NAME|account-url|cache_repo|create_repository)$`))),
		why: producerWhy, do: producerDo,
	},
	{
		section: "5.8", kind: mention.Producer, keep: true, types: []mention.Type{mention.HCL},
		match: image, where: inBlock(regexp.MustCompile(`^resource "?docker_registry_image`)),
		why: producerWhy, do: producerDo,
	},
}

package danger

import (
	"regexp"

	"transship/internal/rewrite/mention"
)

const (
	loginDo     = "Put \"gcloud auth print-access-token | docker login --username oauth2accesstoken --password-stdin https://{host}\" beside it (helm, podman, crane and oras log in with the same name and password), and remove it when ECR is left."
	loginWhy    = "It logs in to ECR with a password of AWS, which must never be sent to another host: a new host in this line alone would do that."
	jenkinsDo   = "Make it withRegistry('https://{host}', CREDENTIALS), with a service account's key of Google as the credentials, in the same change in which what runs inside moves."
	jenkinsWhy  = "Jenkins logs in to ECR here, and puts this host before the images that are named inside."
	githubDo    = "Add a step with google-github-actions/auth and docker/login-action (registry: {host}, username: oauth2accesstoken, password: the access token), and take the registry from there."
	outputWhy   = "The host comes from the login step, so it stays ECR's whatever the rewrite does."
	outputDo    = "Put {target} in its place, in the same change in which the login moves to {host}."
	actionsWhy  = "The step logs in to ECR, and others take the registry's name from its output."
	commandEnds = `\b(?s:.*)`
)

// loginRules are for logins: nothing in them can be rewritten alone.
var loginRules = []rule{
	{
		section: "5.2", kind: mention.Login, keep: true, words: []string{"amazon-ecr-login"},
		match: regexp.MustCompile(`amazon-ecr-login@`),
		why:   actionsWhy, do: githubDo,
	},
	{
		section: "5.2", kind: mention.Login, types: markup, words: []string{"uses:"},
		match: regexp.MustCompile(`\buses:\s*["']?\S*\b(?i:ecr)\b`),
		not:   regexp.MustCompile(`amazon-ecr-login@|ecr-public`),
		why:   "The step logs in to ECR, or pushes there.", do: githubDo,
	},
	{
		section: "5.2", kind: mention.VariableHost, words: []string{".outputs."},
		match: regexp.MustCompile(`\bsteps\.[\w-]+\.outputs\.registry\b`),
		where: either(inFile(regexp.MustCompile(`amazon-ecr-login@`)), onLine(regexp.MustCompile(`steps\.[\w-]*ecr`), 0)),
		why:   outputWhy, do: outputDo,
	},
	{
		section: "5.3", kind: mention.Login, keep: true,
		words: []string{"registry"},
		match: regexp.MustCompile(`\bwith(?:Docker)?Registry\b\s*[({]?(?s:.*)` + anyECR),
		why:   jenkinsWhy, do: jenkinsDo,
	},
	{
		section: "5.3", kind: mention.Login, keep: true, once: aRun,
		words: []string{"registryurl", "registrycredentialsid", "'ecr:", "\"ecr:"},
		match: regexp.MustCompile(`\bregistryUrl\b(?s:.*)` + anyECR + `|\bregistryCredentialsId\b(?s:.*)\becr:|["']ecr:[a-z0-9-]+:`),
		why:   jenkinsWhy, do: jenkinsDo,
	},
	{
		section: "5.1", kind: mention.Login, keep: true, words: []string{"get-login"},
		match: regexp.MustCompile(`\becr\s+(?:[^|;&\n]*\s)?get-login(?:-password)?\b`),
		why:   loginWhy, do: loginDo,
	},
	{
		section: "5.1", kind: mention.Login, keep: true, words: []string{"get-ecrlogin", "get-ecrauthorization"},
		match: regexp.MustCompile(`(?i)\bGet-ECR(?:Login\w*|Authorization\w*)`),
		why:   loginWhy, do: "Put \"(gcloud auth print-access-token) | docker login --username oauth2accesstoken --password-stdin https://{host}\" beside it, and remove it when ECR is left.",
	},
	{
		section: "5.1", kind: mention.Login, keep: true, words: []string{"login"},
		match: regexp.MustCompile(`\b(?:docker|podman|buildah|oras|skopeo|nerdctl|finch|crane\s+auth|helm\s+registry|regctl\s+registry|cosign|singularity\s+remote|apptainer\s+registry|kaniko)\s+login` + commandEnds + ecrTarget),
		not:   regexp.MustCompile(`public\.ecr\.aws`),
		why:   loginWhy, do: loginDo,
	},
	{
		section: "5.1", kind: mention.Login, keep: true, words: []string{"registry"},
		match: hostMiddle,
		where: all(inItem(regexp.MustCompile(`\buses:\s*['"]?(?:docker/login-action|redhat-actions/podman-login|azure/docker-login)@`)), atKey(regexp.MustCompile(`^(?:registry|login-server)$`))),
		why:   loginWhy, do: githubDo,
	},
	{
		section: "5.1", kind: mention.Login, types: []mention.Type{mention.Code, mention.Groovy},
		words: []string{"authorizationtoken", "authorization_token"},
		match: regexp.MustCompile(`(?:\bGetAuthorizationToken(?:Command|Request|Async)?\s*\(|\bget_authorization_token\s*\(|\bgetAuthorizationToken\s*\()`),
		not:   regexp.MustCompile(`ecr:GetAuth`),
		why:   "The program asks ECR for a password.",
		do:    "Let it take an access token of Google for {host}, with the name oauth2accesstoken.",
	},
	{
		section: "5.4", kind: mention.Login, once: aRun,
		words: []string{"credhelper", "ecr#", "docker-ecr", "credential-ecr", "credential-helper"},
		match: regexp.MustCompile(`(?i)<credHelper>\s*ecr-login|\bcredHelper\b.*ecr-login|(?:^|[\s"'-])(?:buildkite-plugins/)?ecr#v?[0-9]|docker-ecr-(?:cache|publish|scan)[\w-]*#|docker-credential-ecr-login|amazon-ecr-credential-helper`),
		why:   "It takes the password for ECR from AWS each time that an image is pulled or pushed.",
		do:    "Let it take the one for {host} from gcloud: \"gcloud auth configure-docker {host}\", or docker-credential-gcr as the helper.",
	},
}

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
		match: regexp.MustCompile(`\b(?:build|buildx|bake|bud|pack|buildctl|ko)\b(?s:.*)(?:\s(?:-t|--tag|--publish|--cache-to|--output|-o|--iidfile|--opt|--set)[\s=]+` + pushTags + `|\spush=true)`),
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
			inItem(regexp.MustCompile(`\buses:\s*['"]?(?:docker/(?:build-push-action|metadata-action|bake-action)|redhat-actions/(?:buildah-build|push-to-registry)|int128/kaniko-action|aevea/action-kaniko|\S*build-?push\S*|\S*push-to-?ecr\S*|depot/build-push-action|\S*/ecr-\S*)@`))),
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
		match: regexp.MustCompile(`(?:<to>\s*<image>|jib\.to\.image[=\s:]|-Dimage=|-Djib\.to\.image=|SAVE\s+IMAGE\s+--push\s|\bKO_DOCKER_REPO\b|SKAFFOLD_DEFAULT_REPO|--default-repo)(?s:.*)` + anyECR),
		why:   producerWhy, do: producerDo,
	},
	{
		section: "5.8", kind: mention.Producer, keep: true,
		match: image,
		where: all(inFile(regexp.MustCompile(`\bjib\b`)), onLine(regexp.MustCompile(`(?:<to>\s*$|<to>\s*(?:<!--.*-->)?\s*\n|\bto\s*\{\s*\n|\bjib\s*\{\s*to\s*\{)`), 3), onLine(regexp.MustCompile(`\bimage\b`), 0)),
		why:   producerWhy, do: producerDo,
	},
	{
		section: "5.8", kind: mention.Producer, keep: true,
		match: image,
		where: either(
			all(inPath(regexp.MustCompile(`(?:^|/)\.?goreleaser[^/]*\.ya?ml$`)), underKey(regexp.MustCompile(`^(?:image_templates|images|name_template|repository|manifest_templates|tags)$`))),
			all(inPath(regexp.MustCompile(`(?:^|/)[^/]*bake[^/]*\.(?:hcl|json)$`)), underKey(regexp.MustCompile(`^(?:tags|cache-to|output)$`))),
			all(inPath(regexp.MustCompile(`(?:^|/)(?:BUILD(?:\.bazel)?|[^/]*\.bzl)$`)), onLine(regexp.MustCompile(`\b(?:oci_push|container_push|docker_push)\s*\(`), 8)),
			all(inPath(regexp.MustCompile(`\.pkr\.(?:hcl|json)$`)), onLine(regexp.MustCompile(`\brepository|tags?\b|login_server`), 0)),
			all(inDocument(regexp.MustCompile(`(?m)^\s*apiVersion:\s*["']?(?:kpack\.io|shipwright\.io|build\.openshift\.io|imagetoolkit\.io)/`)), either(atKey(regexp.MustCompile(`^tag$`)), underKey(regexp.MustCompile(`^output$`)))),
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
}

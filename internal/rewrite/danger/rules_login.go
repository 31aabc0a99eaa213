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
	commandEnds = `\b(?s:.*?)`
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
		where: either(inFile(having(`amazon-ecr-login@`, "amazon-ecr-login")), onLine(regexp.MustCompile(`steps\.[\w-]*ecr`), 0)),
		why:   outputWhy, do: outputDo,
	},
	{
		section: "5.3", kind: mention.Login, keep: true,
		words: []string{"registry"},
		match: regexp.MustCompile(`\bwith(?:Docker)?Registry\b\s*[({]?(?s:.*?)` + anyECR),
		why:   jenkinsWhy, do: jenkinsDo,
	},
	{
		section: "5.3", kind: mention.Login, keep: true, once: aRun,
		words: []string{"registryurl", "registrycredentialsid", "'ecr:", "\"ecr:"},
		match: regexp.MustCompile(`\bregistryUrl\b(?s:.*?)` + anyECR + `|\bregistryCredentialsId\b(?s:.*?)\becr:|["']ecr:[a-z0-9-]+:`),
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
		where: all(inItem(having(`\buses:\s*['"]?(?:docker/login-action|redhat-actions/podman-login|azure/docker-login)@`, "login")), atKey(regexp.MustCompile(`^(?:registry|login-server)$`))),
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

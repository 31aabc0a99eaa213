package danger

import (
	"regexp"

	"transship/internal/rewrite/mention"
)

// credentialRules are for what opens ECR to those who pull.
var credentialRules = []rule{
	{
		section: "9", kind: mention.Credentials, words: []string{"dockerconfigjson", "dockercfg"},
		match: regexp.MustCompile(`\.docker(?:configjson|cfg)["']?\s*[:=]`),
		where: hidesHost,
		why:   "The base64 hides a pull secret for ECR, whose password AWS lets expire after twelve hours.",
		do:    "Make one for {host}, or let the nodes' service account read it, before the manifests change; remove this one when ECR is left.",
	},
	{
		section: "5.2", kind: mention.Credentials, types: []mention.Type{mention.YAML, mention.Template, mention.JSON, mention.HCL, mention.Groovy}, words: []string{"password"},
		match: regexp.MustCompile(`(?i)password["']?\s*[:=].*(?:\becr|ecr_|_ecr)`),
		why:   "It hands over ECR's password, for an image or a chart whose name the rewrite may change.",
		do:    "Give it the credentials of {host} in the same change: the name oauth2accesstoken with an access token, or _json_key with a key.",
	},
	{
		section: "7.2", kind: mention.Credentials, types: []mention.Type{mention.HCL}, words: []string{"dkr"},
		match: hostMiddle, where: inBlock(regexp.MustCompile(`^(?:registry|registry_auth)$`)),
		why: "The provider logs in to ECR here.",
		do:  "Add a block for {host} beside it, with the name oauth2accesstoken and the token of data.google_client_config, before the rewritten configuration is applied.",
	},
	{
		section: "7.2", kind: mention.Credentials, types: []mention.Type{mention.HCL}, words: []string{"dkr"},
		match: hostMiddle, where: inBlock(regexp.MustCompile(`^auth$`)),
		why: "Nomad logs in to ECR here to pull the task's image.",
		do:  "Make it {host}, with the name _json_key and a key of Google as the password, in the change that rewrites the image.",
	},
	{
		section: "5.4", kind: mention.Credentials, types: markup, words: []string{"dkr"},
		match: hostMiddle,
		where: all(inPath(regexp.MustCompile(`(?:^|/)(?:\.circleci/[^/]*|bitbucket-pipelines[^/]*)\.ya?ml$`)), hasReference, below(regexp.MustCompile(`(?m)^\s*(?:aws_auth|aws):\s*$`), 2)),
		why:   "The pipeline pulls this image with credentials of AWS, which are told below it and do not open {host}.",
		do:    "Put a name and a password for {host} in their place (CircleCI: auth, Bitbucket: username and password; the name is _json_key), in the change that rewrites the image.",
	},
	{
		section: "9", kind: mention.Credentials, words: []string{"docker-registry", "docker-server"},
		match: regexp.MustCompile(`\bcreate\s+secret\s+docker-registry\b(?s:.*?)` + anyECR + `|--docker-server[=\s](?s:.*?)` + anyECR),
		why:   "It makes a pull secret for ECR.",
		do:    "Make one for {host} as well (--docker-server={host} --docker-username=_json_key), before the manifests change.",
	},
	{
		section: "9", kind: mention.Credentials, once: aRun,
		words: []string{"credsstore", "credhelpers", "ecr-login", "\"auth"},
		match: regexp.MustCompile(`(?i)["'](?:credsStore|credHelpers)["']|["']ecr-login["']|"auths?"\s*:`),
		where: onLine(regexp.MustCompile(`ecr-login|`+anyHost), 1),
		why:   "It tells docker how to log in to ECR.",
		do:    "Add \"{host}\": \"gcloud\" to credHelpers beside it, and remove it when ECR is left.",
	},
	{
		section: "8", kind: mention.Credentials, types: markup, words: []string{"provider"},
		match: regexp.MustCompile(`^\s*provider:\s*["']?aws["']?\s*(?:#.*)?$`),
		where: inDocument(having(`(?m)^\s*"?kind"?:\s*"?(?:ImageRepository|OCIRepository|HelmRepository)\b`, "ImageRepository", "OCIRepository", "HelmRepository")),
		why:   "Flux takes the credentials for this image or chart from AWS.",
		do:    "Make it provider: gcp in the change that rewrites the image, and bind Flux's service account to one of Google that may read {target}.",
	},
	{
		section: "8", kind: mention.Credentials, once: aRun,
		words: []string{"matchhost", "hosttype", "registryurls", "registryaliases"},
		match: regexp.MustCompile(`\b(?:matchHost|hostType|registryUrls|registryAliases)\b["']?\s*[:=](?s:.*?)` + anyHost),
		why:   "Renovate takes the credentials for this host from here.",
		do:    "Add a rule for {host} (hostType docker, username _json_key) beside it.",
	},
	{
		section: "8", kind: mention.Credentials, once: aRun,
		match: hostMiddle,
		where: all(inPath(regexp.MustCompile(`(?:^|/)(?:dependabot\.ya?ml|renovate[^/]*\.json5?|\.renovaterc[^/]*)$`)), underKey(regexp.MustCompile(`^(?:url|matchHost|hostRules|registries)$`))),
		why:   "The bot that looks for newer images takes the credentials for this host from here.",
		do:    "Add an entry for {host} beside it, with _json_key as the user.",
	},
	{
		section: "8", kind: mention.Credentials, once: aRun,
		words: []string{"api_url", "prefix", "credentials", "ext:/"},
		match: regexp.MustCompile(`\b(?:api_url|prefix)\b["']?\s*[:=]\s*["']?(?:https?://)?\S*` + anyHost + `|\bcredentials\b["']?\s*:\s*["']?(?:ext|env|secret|pullsecret):\S*(?i:ecr)|\bext:/\S*ecr\S*`),
		why:   "It tells the image updater how to read ECR's tags.",
		do:    "Add a registry with api_url: https://{host} and prefix: {host} beside it, before the rewritten image list is applied.",
	},
	{
		section: "9", kind: mention.Credentials, once: aRun,
		words: []string{"registry-creds", "ecr-", "ecr_", "-ecr", "_ecr", "ecrreg"},
		match: regexp.MustCompile(`(?i)\becr-registry-helper\b|\bregistry-creds\b.*ecr|\becr[-_](?:(?:auth[-_])?token|creds?|credentials?|secret|registry-secret|pull|refresh(?:er)?|renew(?:er)?|updater)[\w-]*|\b(?:refresh|renew|update|rotate)[-_]ecr[\w-]*|\b(?:aws-?)?ecr-?reg?cred\b|\bregcred-ecr\b`),
		not:   regexp.MustCompile(`credential-helper`),
		why:   "It is a pull secret for ECR, or what keeps one fresh.",
		do:    "Give what uses it credentials for {host} before the manifests change, and remove it when ECR is left.",
	},
	{
		section: "9", kind: mention.Credentials, once: aRun,
		words: []string{"pullsecret", "name"},
		match: regexp.MustCompile(`(?i)imagePullSecrets?(?s:.*?)\becr\b|name["']?\s*[:=]\s*["']?[\w-]*\becr\b`),
		where: onLine(regexp.MustCompile(`(?i)imagePullSecrets?|pull_?secret`), 2),
		why:   "Pods take the credentials for ECR from this secret.",
		do:    "Add a pull secret for {host} beside it, before the manifests change.",
	},
}

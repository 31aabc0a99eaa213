package danger

import (
	"regexp"

	"transship/internal/rewrite/mention"
)

const (
	policyWhy = "It lets in images by their names: it would reject the new ones."
	policyDo  = "Add \"{pattern}\" beside it, and roll that out before the manifests change; remove the old one when ECR is left."
)

// structureRules are for places where the structure around a host says what it is for.
var structureRules = []rule{
	{
		section: "9", kind: mention.Credentials, settles: true, once: aFile, types: markup,
		words: []string{"dkr"}, match: hostMiddle,
		where: inDocument(having(`(?m)^\s*"?kind"?:\s*"?CredentialProviderConfig\b`, "CredentialProviderConfig")),
		why:   "It tells the kubelet to ask AWS for the credentials of these images.",
		do:    "Keep it while anything runs from ECR, and see that nodes may read {host}, for example by a pull secret or by workload identity federation.",
	},
	{
		section: "9", kind: mention.Generated, keep: true, settles: true,
		words: []string{"dkr"}, match: hostMiddle,
		where: either(underKey(regexp.MustCompile(`last-applied-configuration$`)), onLine(regexp.MustCompile(`last-applied-configuration`), 0)),
		why:   "kubectl wrote it when the manifest was applied: the next kubectl apply writes it anew.",
		do:    "Do not keep it in a file: remove the annotation, or apply the manifest again.",
	},
	{
		section: "2.6", kind: mention.Generated, keep: true, settles: true,
		words: []string{"dkr"}, match: hostMiddle,
		where: either(underKey(regexp.MustCompile(`kbld\.k14s\.io/images$`)), onLine(regexp.MustCompile(`kbld\.k14s\.io/images`), 0)),
		why:   "kbld wrote down where the images of its output came from.",
		do:    "Run kbld again on the rewritten manifests.",
	},
	{
		section: "9", kind: mention.Validator, keep: true, settles: true, types: markup,
		words: []string{"dkr", `\`, "[."}, match: hostOrEscaped,
		where: inDocument(having(`(?m)(?:apiVersion|"apiVersion")["']?:\s*["']?[\w.-]*(?:kyverno\.io|gatekeeper\.sh|policy\.sigstore\.dev|kubewarden\.io|admissionregistration\.k8s\.io|config\.openshift\.io|portieris\.cloud\.ibm\.com|open-cluster-management\.io|imagepolicy\.k8s\.io|connaisseur)|kind["']?:\s*["']?(?:ImagePolicyWebhook|AdmissionConfiguration)\b`, "kyverno.io", "gatekeeper.sh", "policy.sigstore.dev", "kubewarden.io", "admissionregistration.k8s.io", "config.openshift.io", "portieris.cloud", "open-cluster-management.io", "imagepolicy.k8s.io", "connaisseur", "ImagePolicyWebhook", "AdmissionConfiguration")),
		why:   policyWhy, do: policyDo,
	},
	{
		section: "9", kind: mention.Validator, keep: true, settles: true,
		words: []string{"dkr", `\`, "[."}, match: hostOrEscaped,
		where: inPath(regexp.MustCompile(`(?i)\.(?:rego|sentinel|cel|cue)$`)),
		why:   policyWhy, do: policyDo,
	},
	{
		section: "9", kind: mention.Validator, keep: true, settles: true,
		words: []string{"dkr", `\`, "[."}, match: hostOrEscaped,
		where: either(underKey(allowKey), inBlock(regexp.MustCompile(`(?i)"?\w*`+allowWords+`\w*"?$|^validation$`))),
		why:   policyWhy, do: policyDo,
	},
	{
		section: "9", kind: mention.Validator, keep: true, settles: true, types: []mention.Type{mention.HCL, mention.Code, mention.Shell, mention.Plain},
		words: []string{"allow", "trusted", "permitted", "approved", "accepted", "list"},
		match: regexp.MustCompile(`(?i)\b\w*` + allowWords + `\w*(?:["'\]]|\s*[:=(\[])(?s:.*?)(?:` + anyHost + `|` + escaped + `)`),
		why:   policyWhy, do: policyDo,
	},
	{
		section: "9", kind: mention.Validator, keep: true, settles: true, types: markup,
		words: []string{"dkr"}, match: hostMiddle,
		where: either(
			all(atKey(regexp.MustCompile(`^(?:value|pattern|glob)$`)), inDocument(having(`"?fieldName"?:\s*"?Image Re(?:gistry|mote)|policySections|(?m)^\s*validators:|^\s*- pattern:`, "fieldName", "policySections", "validators:", "- pattern:"))),
		),
		why: policyWhy, do: policyDo,
	},
	{
		section: "9", kind: mention.Credentials, settles: true, once: aFile,
		words: []string{"credential-provider"},
		match: regexp.MustCompile(`(?i)\becr-credential-provider\b|credential-providers\.ecr`),
		why:   "It sets up the nodes' credentials for ECR.",
		do:    "Keep it while anything runs from ECR, and give the nodes credentials for {host} before the manifests change.",
	},
	{
		section: "9", kind: mention.Credentials, settles: true, once: aFile,
		words: []string{"dkr"}, match: hostMiddle,
		where: onLine(having(`(?i)image-patterns\s*=|matchImages|ecr-credential-provider`, "attern", "ATTERN", "atchI", "ATCHI", "atchi", "redential", "REDENTIAL"), 4),
		why:   "It tells nodes for which images they ask AWS for credentials.",
		do:    "Keep it while anything runs from ECR, and give the nodes credentials for {host} before the manifests change.",
	},
}

// hostOrEscaped is a host, or a part of one as expressions spell it.
var hostOrEscaped = regexp.MustCompile(anyHost + `|` + escaped)

const allowWords = `(?:allow|trusted|permitted|approved|accepted|whitelist|safelist)(?:ed|-?list(?:ed)?)?[_-]?(?:(?:container|docker|image|oci)[_-]?)?(?:registr|repo|image|host|prefix|source)`

var allowKey = regexp.MustCompile(`(?i)` + allowWords + `|^(?:imageReferences?|registrySources|sourceRepos|allowedRegistriesForImport|transports)$`)

// policyRules are for patterns that accept ECR's names.
var policyRules = []rule{
	{
		section: "5.10", kind: mention.Validator, keep: true,
		words: []string{"pattern", "validat", "condition"},
		match: regexp.MustCompile(`(?:["']?(?:pattern|x-validation|validation)["']?\s*:|@Pattern\(|\bcondition\s*=|validationPattern)(?s:.*?)(?:` + anyHost + `|` + escaped + `)`),
		why:   "It checks names by a pattern that fits ECR's alone: it would reject the new ones.",
		do:    "Extend it, so that names that begin with \"{target}/\" pass as well, before anything is rewritten.",
	},
	{
		section: "5.10", kind: mention.Generated, types: []mention.Type{mention.JSON, mention.YAML, mention.Code},
		words: []string{"\\/"},
		match: regexp.MustCompile(`[0-9]{12}\.dkr[.-]ecr[a-z0-9.-]*\.(?:com|aws)(?:\.cn)?\\/[a-z0-9]`),
		not:   regexp.MustCompile(`\\\.|\bsed\b|replace`),
		why:   "The slashes of this reference are escaped, as a program writes them, so it is not rewritten.",
		do:    "Let the program write it anew, or put {target}/… there by hand.",
	},
	{
		section: "5.10", kind: mention.Validator, keep: true,
		words: []string{"%2f", "%252f"},
		match: regexp.MustCompile(`[0-9]{12}\.dkr[.-]ecr[a-z0-9.-]*\.(?:com|aws)(?:\.cn)?%(?:25)?2[Ff]`),
		why:   "It names an image within a URL, where a slash is %2F: whoever reads it may know ECR's names alone.",
		do:    "Look at what the URL is for; where the image moved, put {ref} there with %2F for each slash.",
	},
	{
		section: "5.10", kind: mention.Validator, keep: true,
		words: []string{"\\", "[.", "%"},
		match: regexp.MustCompile(escaped),
		where: onLine(regexp.MustCompile(`dkr|(?i:\becr)`), 0),
		why:   "It is a regular expression for ECR's names: it would reject the new ones, or pass them over.",
		do:    "Extend it, so that it fits {escaped} as well, before anything is rewritten.",
	},
	{
		section: "5.11", kind: mention.HostTest, keep: true,
		words: []string{"*", ".+", "?"},
		match: regexp.MustCompile(`(?i)(?:\*|\.\+)["']?\.?dkr\.|dkr[.-](?:ecr\.)?\*|dkr\*|ecr\.\*|(?:\*|\?)\.?(?:dkr\.)?ecr\.|ecr\.[a-z0-9-]+\.amazonaws\.com(?:/?\*|/?\.\*)`),
		not:   regexp.MustCompile(`com\.amazonaws\.|arn:`),
		where: either(noLiteralAccount, isTestLine),
		why:   testOfHostWhy, do: testOfHostDo,
	},
	{
		section: "5.11", kind: mention.HostTest, keep: true,
		words: []string{"grep", "contains", "start", "end", "prefix", "suffix", "includes", "index", "match", "regex", "-like", "=~", "==", "!=", " in ", "\"ecr\"", "'ecr'", "eq ", "ne ", "[ "},
		match: regexp.MustCompile(`(?i)(?:[!=]==?|=~|-c?match|-c?like|-c?eq|-c?ne)\s*["'/^(*.]*[^\s"'?:;&|,]*?` + hostOrECR +
			`|\[\[?\s[^;&|\]]*\s=\s*["']?[^\s"']*?` + hostOrECR +
			`|\b(?:eq|ne)\b[^}|]{0,60}?` + hostOrECR +
			`|\b\w*(?:contains|starts_?with|ends_?with|prefix|suffix|includes|index_?of|match(?:es)?|regex(?:all|find|match|replace)?|search)["']?\s*[(\s][^;)?]{0,120}?` + hostOrECR +
			`|\be?grep\b[^|;&]*?` + hostOrECR +
			`|["'][^"'\s]*` + hostOrECR + `[^"'\s]*["']?\s+(?:not\s+)?in\b` +
			`|` + hostOrECR + `["']?\s*[!=]==?`),
		not:   regexp.MustCompile(`(?i)com\.amazonaws\.|arn:|aws\s+ecr\b|--set\b|\bfor\s+\w+\s+in\b.*\bin\b`),
		where: isTestLine,
		why:   testOfHostWhy, do: testOfHostDo,
	},
}

// hostOrECR is what is compared with: a part of a host, or the word.
const hostOrECR = `(?:dkr[.-]ecr|["'.]ecr["'.])`

const (
	testOfHostWhy = "What is done for ECR's names alone, such as a login, is skipped for the new ones."
	testOfHostDo  = "Add a branch for names that begin with {host}/, before anything is rewritten."
)

// testLine is what makes a comparison of a mention.
var testLine = regexp.MustCompile(`(?i)\b(?:if|elif|elsif|else|unless|when|while|case|switch|match|return|assert|test|filter|grep|egrep|contains|includes|where|rules|except|only|only_if|not_if)\b|\[\[|\[ |=~|[!=]==?|&&|\|\||\?|=>|(?:has|starts|ends)_?(?:prefix|suffix|with)|-match|-like|\beq\b|\)\s*$|\|\s*grep|^\s*[^\s()]+\)\s`)

func isTestLine(j *judge, at spot) bool { return testLine.Match(j.stretchOf(at)) }

// noLiteralAccount holds where no whole host is in the stretch.
func noLiteralAccount(j *judge, at spot) bool { return len(literalHosts(j.stretchOf(at))) == 0 }

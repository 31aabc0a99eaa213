package danger

import (
	"regexp"

	"transship/internal/rewrite/mention"
)

const (
	variableWhy = "The host is put together from variables when it runs, so it names ECR whatever the rewrite does."
	variableDo  = "Put {target} there in place of the whole host, where what is named behind it moved; or give the variable for the host that value, where it is set."
)

// hostRules are for hosts that are not in the text as a whole. What follows a whole host is for the finder of references.
var hostRules = []rule{
	{
		section: "9", kind: mention.TestFile, keep: true, once: aRun,
		words: []string{"repositoryuri"},
		match: regexp.MustCompile(`["']?\brepositoryUri["']?\s*:\s*["']?[0-9]{12}\.dkr`),
		where: onLine(regexp.MustCompile(`registryId|repositoryArn|repositoryName|imageTagMutability`), 8),
		why:   "It is an answer of ECR's API, quoted: it was never a reference to run something by.",
		do:    "Leave it, or remove the example when ECR is left.",
	},
	{
		section: "7.6", kind: mention.VariableHost, words: []string{"cdk-"},
		match: regexp.MustCompile(`cdk-[a-z0-9]+-(?:container-)?assets-`),
		where: isVariableHost,
		why:   "CDK made this image and its repository when it was deployed.",
		do:    "Change the stack rather than its template: push the image to {target}, and name it by ContainerImage.fromRegistry.",
	},
	{
		section: "10", kind: mention.OtherRegistry,
		words: []string{"dkr"}, match: hostMiddle, where: isOtherLength,
		why: "The number of its account does not have the twelve digits of an account, so it names no registry: an example, or a slip.",
		do:  "Nothing, if it is an example. Otherwise correct the number and run the command again.",
	},
	{
		section: "5.5", kind: mention.VariableHost,
		words: []string{"dkr"}, match: hostMiddle, where: isVariableHost,
		why: variableWhy, do: variableDo,
	},
	{
		section: "5.5", kind: mention.VariableHost,
		types: []mention.Type{mention.YAML, mention.Template, mention.Shell, mention.Groovy, mention.Dockerfile, mention.HCL, mention.JSON, mention.Plain, mention.Markdown},
		words: []string{"$", "%", "{{"},
		match: regexp.MustCompile(`(?:\$\{?|\$\(|\$\{\{\s*|\{\{-?\s*|%)(?:[\w.]*[._])?(?i:ecr)(?:_\w*|[A-Z]\w*)?(?::-[^}]*)?(?:\s*\}\}|\}|\)|%)?(?:/|:[$%{(\w])`),
		where: noLiteralAccount,
		why:   "A variable holds ECR's host, so it names ECR whatever the rewrite does.",
		do:    "Find where the variable is set (in the settings of the pipeline, if nowhere in the tree), and give it {target}, where every image that is named by it moved.",
	},
}

package danger

import (
	"regexp"

	"transship/internal/rewrite/mention"
)

const (
	terraformDo  = "Make the repository of Artifact Registry a google_artifact_registry_repository, put {target} where this is used for an image that moved, and remove it when ECR is left."
	terraformWhy = "It is ECR's resource, or takes a name from one: what uses it goes on to name ECR."
	cleanUpDo    = "Leave it while anything runs from ECR, and remove it when ECR is left."
)

// resourceRules are for ECR as infrastructure: its resources, ARNs, and what lets others reach it.
var resourceRules = []rule{
	{
		section: "7.4", kind: mention.ARN, keep: true, once: aRun, words: []string{"arn"},
		match: regexp.MustCompile(`(?i)\barn:[^:\s"']*:ecr:|\barn:[^\s"']*\}:ecr:|Partition\}?[^:]{0,8}:ecr:|["':]ecr:\S*repository/`),
		where: sourceARN,
		why:   "It is the ARN of a repository of ECR, which Artifact Registry has no counterpart of.",
		do:    "Leave it while anything runs from ECR; grant roles/artifactregistry.reader on {target} to those whom the policy is for, and remove it when ECR is left.",
	},
	{
		section: "7.4", kind: mention.ARN, keep: true,
		words: []string{"*"},
		match: regexp.MustCompile(`\.dkr[.-]ecr[^\s"']*/?[^\s"']*\*`),
		where: all(underKey(regexp.MustCompile(`^(?i:resources?|NotResource)$`)), notIn("containers:")),
		why:   "It stands where a policy of IAM has ARNs, but is an image's name: it never granted anything.",
		do:    "Remove it, or make it the ARN of the repository, while ECR is still used.",
	},
	{
		section: "7.2", kind: mention.ECRResource, once: ownBlock, words: []string{"aws_ecr_", "aws_ecr\""},
		match: regexp.MustCompile(`\baws_ecr_[a-z_]+`),
		where: noImport,
		why:   terraformWhy, do: terraformDo,
	},
	{
		section: "7.2", kind: mention.ECRResource, once: ownBlock, words: []string{"module", "mock_", "override_", "source", "dependency", "local.", "var."},
		match: regexp.MustCompile(`\bmodule\.[\w-]*ecr[\w-]*\b|^\s*(?:module|mock_data|mock_resource|override_\w+)\s+"[^"]*\becr\b[^"]*"|\bsource\s*=\s*"[^"]*\becr\b[^"]*"|\b(?:dependency|local|var)\.(?:\w*_)?ecr(?:_\w*)?\b`),
		not:   regexp.MustCompile(`\bsource\s*=\s*"[^"]*dkr[.-]ecr`),
		where: isTerraform,
		why:   terraformWhy, do: terraformDo,
	},
	{
		section: "7.6", kind: mention.ECRResource, words: []string{"aws::ecr::"},
		match: regexp.MustCompile(`\bAWS::ECR::\w+`),
		why:   "It is a resource of ECR.",
		do:    "Leave it while ECR is the source, with a Retain policy when it is removed: deleting the repository deletes its images.",
	},
	{
		section: "7.7", kind: mention.ECRResource, types: []mention.Type{mention.Code, mention.Plain},
		match: regexp.MustCompile(`\bfrom_?[eE]cr_?[rR]epository\s*\(|\bfrom_?[rR]epository_?(?:[nN]ame|[aA]rn|[aA]ttributes)\s*\(|\b(?:ecr|aws_ecr|awsecr)\.(?:Repository|LifecyclePolicy|RepositoryPolicy|RegistryPolicy|PullThroughCacheRule|CfnRepository|NewRepository|GetRepository|getRepository|get_repository|LookupRepository|GetAuthorizationToken|getAuthorizationToken|get_authorization_token|Image)\w*\b|\bawsx\.ecr\.|\b(?:Docker|Tarball)ImageAsset\s*\(|\bDockerImageAsset\b|\bfromEcr\s*\(|\bEcrImage\b|\becrdeploy\b`),
		where: noImport,
		why:   "The program makes or looks up a repository of ECR: what uses it goes on to name ECR.",
		do:    "Put {target}/NAME there where the image moved (in CDK: ContainerImage.fromRegistry), and remove the repository from the stack when ECR is left, with a Retain policy.",
	},
	{
		section: "7.7", kind: mention.ECRResource, types: []mention.Type{mention.Code, mention.Groovy, mention.Shell},
		words: []string{"'ecr'", "\"ecr\"", "ecrclient", "ecrasync", "ecr.new", "new ecr", "aws.ecr"},
		match: regexp.MustCompile(`\b(?:client|resource)\(\s*(?:service_name\s*=\s*)?["']ecr["']|\bnew\s+(?:AWS\.)?ECR(?:Client)?\s*\(|\becr\.New(?:FromConfig)?\(|\bEcr(?:Async)?Client\.(?:builder|create)|\bAmazonECRClient\b`),
		where: noImport,
		why:   "The program talks to ECR's API, which Artifact Registry does not speak.",
		do:    "Decide what it is for: what reads tags or digests can ask {host} by the registry's protocol, what sets up repositories goes away with ECR.",
	},
	{
		section: "7.7", kind: mention.ECRResource, types: []mention.Type{mention.YAML, mention.Template},
		words: []string{"apiversion"},
		match: regexp.MustCompile(`\bapiVersion:\s*["']?ecr\.(?:aws\.|services\.k8s\.aws)`),
		why:   "It is a resource of ECR that a controller in the cluster keeps.", do: cleanUpDo,
	},
	{
		section: "7.2", kind: mention.ECRResource, types: markup, words: []string{"ecs_ecr"},
		match: regexp.MustCompile(`\becs_ecr\b`),
		why:   "Ansible makes a repository of ECR here.", do: cleanUpDo,
	},
	{
		section: "7.2", kind: mention.ECRResource,
		words: []string{"ecr ", "-ecr"},
		match: regexp.MustCompile(`\baws\b(?:\s+--?\S+(?:[ =][^\s-]\S*)?)*\s+ecr\s+(?:\\\s*)?(?:create|delete|describe|batch|put|list|set|start|get-(?:repository|lifecycle|registry|download)|wait|tag|untag|replicate|initiate|upload|complete)[a-z-]*|(?i:\b(?:Get|New|Remove|Set|Write)-ECR[A-Z]\w+)`),
		why:   "It asks or changes ECR, so after the rewrite it is about images that nobody runs.",
		do:    "Put the counterpart for {target} beside it (gcloud artifacts docker images list, or tags list), and remove it when ECR is left.",
	},
	{
		section: "7.5", kind: mention.CleanUp, once: aRun,
		words: []string{"ecr.", "ecr_", "ecr-", ".ecr"},
		match: regexp.MustCompile(`\bcom\.amazonaws\.[^\s"']*\.?ecr\.(?:dkr|api)\b|["']?ecr\.(?:dkr|api)["']|\becr[._-](?:dkr|api)\b|\bapi\.ecr(?:-fips)?\.|\becr\.[a-z]{2}[a-z0-9-]+\.(?:amazonaws\.com|api\.aws)`),
		not:   hostMiddle,
		why:   "It is a way to ECR's API, which nothing needs when ECR is left.", do: cleanUpDo,
	},
	{
		section: "7.5", kind: mention.CleanUp, once: aRun,
		words: []string{"ecr:", "ecr-public:", "containerregistry", "imagebuilderecr", "ecr.amazonaws"},
		match: regexp.MustCompile(`(?:^|["'\s\[,-])ecr(?:-public)?:(?:\*|[A-Z][A-Za-z]+\*?)|\bAmazon(?:EC2|Elastic)ContainerRegistry\w+|\bEC2InstanceProfileForImageBuilderECR\w*|\becr\.amazonaws\.com\b`),
		why:   "It is a permission for ECR, which nothing needs when ECR is left.", do: cleanUpDo,
	},
}

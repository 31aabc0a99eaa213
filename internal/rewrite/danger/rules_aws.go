package danger

import (
	"regexp"

	"transship/internal/rewrite/mention"
)

const (
	lambdaWhy    = "Lambda pulls images from ECR alone: with another name the deployment fails."
	appRunnerWhy = "App Runner pulls private images from ECR alone: with another name the deployment fails."
	sageMakerWhy = "SageMaker pulls images from ECR, or from a registry within the VPC: with another name the deployment fails."
	awsOnlyDo    = "Leave it, and keep pushing this image to ECR for as long as the service uses it."
	pullDo       = "Put a secret with the credentials of {host} into Secrets Manager, and name it as repositoryCredentials (credentialsParameter), before the rewritten reference is applied."
	pullWhy      = "The rewritten image is not in ECR any more, so the task's role no longer opens it: it needs credentials of its own."
)

var (
	image = regexp.MustCompile(anyECR)
	// lambdaWords are near the images of those services in programs.
	lambdaWords = having(`(?i)lambda|sagemaker|emr-?_?serverless|create_model|PrimaryContainer`, "ambda", "AMBDA", "ageMaker", "agemaker", "AGEMAKER", "emr", "EMR", "create_model")
	notAWSOnly  = regexp.MustCompile(`(?i)\b\w*(?:ecs|fargate|batch|codebuild|eks)`)
)

// awsRules are for services of AWS, which pull from ECR alone, or from elsewhere with credentials.
var awsRules = []rule{
	{
		section: "7.8", kind: mention.AWSOnly, keep: true,
		words: []string{"lambda"},
		match: regexp.MustCompile(`\blambda\s+(?:create-function|update-function-code)\b(?s:.*?)` + anyECR),
		why:   lambdaWhy, do: awsOnlyDo,
	},
	{
		section: "7.8", kind: mention.AWSOnly, keep: true,
		words: []string{"apprunner"},
		match: regexp.MustCompile(`\b(?:apprunner\s+(?:create|update)-service)\b(?s:.*?)` + anyECR),
		why:   appRunnerWhy, do: awsOnlyDo,
	},
	{
		section: "7.8", kind: mention.AWSOnly, keep: true,
		words: []string{"sagemaker"},
		match: regexp.MustCompile(`\bsagemaker\s+create-\w+\b(?s:.*?)` + anyECR),
		why:   sageMakerWhy, do: awsOnlyDo,
	},
	{
		section: "7.8", kind: mention.AWSOnly, keep: true, types: []mention.Type{mention.HCL},
		match: image, not: regexp.MustCompile(`image_repository_type`),
		where: all(inBlock(regexp.MustCompile(`^resource "?aws_(?:lambda_function|apprunner_service|sagemaker_\w+)`)), imageAttribute),
		why:   "Lambda, App Runner and SageMaker pull images from ECR alone: with another name the apply fails.", do: awsOnlyDo,
	},
	{
		section: "7.8", kind: mention.AWSOnly, keep: true, types: []mention.Type{mention.HCL},
		match: image,
		where: all(either(atKey(regexp.MustCompile(`^(?:\w*lambda\w*image\w*|\w*image\w*lambda\w*|image_uri|image_identifier|\w*sagemaker\w*image\w*|container_uri)$`)),
			inBlock(regexp.MustCompile(`(?i)^(?:module|variable) "[^"]*(?:lambda|sagemaker|app-?_?runner)`))), imageAttribute, notOthers),
		why: "It seems to be the image of a Lambda function, of App Runner or of SageMaker, which pull from ECR alone.",
		do:  "Leave it if it is; if something else runs it, put {ref} there by hand.",
	},
	{
		section: "7.8", kind: mention.AWSOnly, keep: true, types: markup,
		match: image,
		where: either(inType(regexp.MustCompile(`^AWS::(?:Lambda::Function|Serverless::Function)$`)), atKey(regexp.MustCompile(`^ImageUri$`))),
		why:   lambdaWhy, do: awsOnlyDo,
	},
	{
		section: "7.8", kind: mention.AWSOnly, keep: true, types: markup,
		match: image,
		where: either(inType(regexp.MustCompile(`^AWS::AppRunner::`)), atKey(regexp.MustCompile(`^(?:ImageIdentifier|imageIdentifier)$`))),
		why:   appRunnerWhy, do: awsOnlyDo,
	},
	{
		section: "7.8", kind: mention.AWSOnly, keep: true, types: markup,
		match: image,
		where: either(inType(regexp.MustCompile(`^AWS::(?:SageMaker|EMRServerless|BedrockAgentCore)::`)),
			atKey(regexp.MustCompile(`^(?:TrainingImage|[cC]ontainerUri)$`)),
			all(atKey(regexp.MustCompile(`^Image$`)), underKey(regexp.MustCompile(`^(?:PrimaryContainer|Containers|AlgorithmSpecification)$`)))),
		why: sageMakerWhy, do: awsOnlyDo,
	},
	{
		section: "7.8", kind: mention.AWSOnly, keep: true, types: append([]mention.Type{mention.Code}, markup...),
		match: image,
		where: all(inPath(regexp.MustCompile(`(?:^|/)serverless[^/]*\.(?:ya?ml|json|ts|js)$`)), onLine(regexp.MustCompile(`\b(?:image|uri)["']?\s*:`), 0)),
		why:   lambdaWhy, do: awsOnlyDo,
	},
	{
		section: "7.8", kind: mention.AWSOnly, keep: true, types: []mention.Type{mention.Code},
		words: []string{"imageuri", "image_uri", "trainingimage", "imageidentifier", "containeruri", "dockerimage", "ecrimage"},
		match: regexp.MustCompile(`(?:\b(?:training_)?image_uri|["']?(?:ImageUri|TrainingImage|ImageIdentifier|imageIdentifier|containerUri)["']?)\s*[:=](?s:.*?)` + anyECR + `|\bDockerImageFunction\s*\(|\bDockerImageCode\.from\w*Ecr\w*\(|\bEcrImageCode\s*\(`),
		where: all(notOthersAround, noImport),
		why:   "Lambda, App Runner and SageMaker pull images from ECR alone: with another name the deployment fails.", do: awsOnlyDo,
	},
	{
		section: "7.8", kind: mention.AWSOnly, keep: true, types: append([]mention.Type{mention.Code}, markup...),
		match: image,
		where: all(atKey(regexp.MustCompile(`^(?:imageUri|image|Image)$`)), inFile(lambdaWords), notManifest, onLine(lambdaWords.re, 12), notOthersAround),
		why:   "It seems to be the image of a Lambda function or of SageMaker, which pull from ECR alone.",
		do:    "Leave it if it is; if something else runs it, put {ref} there by hand.",
	},
	{
		section: "5.12", kind: mention.VariableHost,
		words: []string{"_name>", "imageuri"},
		match: regexp.MustCompile(`<[A-Z0-9_]*IMAGE[A-Z0-9_]*_NAME>|imageUri\\?["']\s*:\s*\\?["'](?:%s|\$)`),
		why:   "CodePipeline puts the image's name here, and it takes it from the job that builds the image.",
		do:    "Nothing is to be changed in this line: make the job write the name at {target}, and give the task repositoryCredentials.",
	},
	{
		section: "7.9", kind: mention.Credentials, types: []mention.Type{mention.HCL}, once: aBlock,
		match: hostMiddle,
		where: all(hasReference, inBlock(regexp.MustCompile(`^resource "?aws_(?:ecs_task_definition|batch_job_definition|codebuild_project)`)), noCredentialsInBlock),
		why:   pullWhy, do: pullDo,
	},
	{
		section: "7.9", kind: mention.Credentials, types: markup, once: aRun,
		match: hostMiddle,
		where: all(hasReference, inType(regexp.MustCompile(`^AWS::(?:ECS::TaskDefinition|Batch::JobDefinition|CodeBuild::Project)$`)), noCredentialsNear),
		why:   pullWhy, do: pullDo,
	},
	{
		section: "7.9", kind: mention.Credentials, types: markup, once: aRun,
		match: hostMiddle,
		where: all(hasReference, underKey(regexp.MustCompile(`^[cC]ontainerDefinitions$`)), noCredentialsNear),
		why:   pullWhy, do: pullDo,
	},
	{
		section: "7.9", kind: mention.Credentials, types: []mention.Type{mention.Code}, once: aRun,
		match: hostMiddle,
		where: all(hasReference, onLine(regexp.MustCompile(`ContainerImage\.from_?[rR]egistry\(|LinuxBuildImage\.from_?[dD]ocker_?[rR]egistry\(`), 2), noCredentialsNear),
		why:   pullWhy, do: pullDo,
	},
}

// inlineRule is for those that stand in the midst of a line.
var inlineRule = rule{
	section: "7.8", kind: mention.AWSOnly, keep: true,
	match: regexp.MustCompile(`\b(?:ImageUri|ImageIdentifier|TrainingImage)\\?["']?\s*[:=]\s*\\?["']?([^\s"'\\,}]*` + anyHost + `[^\s"'\\,}]*)`),
	why:   "Lambda, App Runner and SageMaker pull images from ECR alone: with another name the deployment fails.", do: awsOnlyDo,
}

// imageAttribute holds on a line of HCL that gives something a name, rather than one with a policy or a dependency.
func imageAttribute(j *judge, at spot) bool { return attribute.Match(j.stretchOf(at)) }

var (
	attribute   = regexp.MustCompile(`(?i)^\s*["']?(?:\w*image\w*|default|value|\w*uri)["']?\s*[:=]`)
	credentials = having(`(?i)repository_?credentials|registry_?credential|credentials:\s`, "redential", "REDENTIAL")
	manifest    = having(`(?m)^\s*"?(?:apiVersion|containers|FROM)\b`, "apiVersion", "containers", "FROM")
)

// notOthers holds unless the block or the key is of a service that can pull from elsewhere.
func notOthers(j *judge, at spot) bool {
	for _, b := range j.blocksAt(at.Start) {
		if notAWSOnly.MatchString(b.header) {
			return false
		}
	}
	return !slicesMatch(j.place(at).keys, notAWSOnly)
}

func slicesMatch(keys []string, p *regexp.Regexp) bool {
	for _, k := range keys {
		if p.MatchString(k) {
			return true
		}
	}
	return false
}

// notOthersAround holds unless the lines above are about a service that can pull from elsewhere.
func notOthersAround(j *judge, at spot) bool {
	near := above(j.file.Text, at.Start, 8)
	return !regexpOthers.Match(near)
}

var regexpOthers = regexp.MustCompile(`(?i)\b(?:ecs|fargate|batch|codebuild)\b|containerDefinitions|taskdef|TaskDefinition`)

// notManifest holds unless the document is a manifest of Kubernetes.
func notManifest(j *judge, at spot) bool { return !j.documentFits(manifest, at.Start) }

func noCredentialsInBlock(j *judge, at spot) bool {
	b := j.blockAt(at.Start)
	return b == nil || !j.spanFits(credentials, b.Start, b.End)
}

// noCredentialsNear holds unless credentials are named within a few lines.
func noCredentialsNear(j *judge, at spot) bool {
	line := mention.Span{Start: at.in.Start, End: at.in.End}
	for range 8 {
		if line.Start > 0 {
			line.Start = lineAt(j.file.Text, line.Start-1, 0).Start
		}
		line.End = lineAt(j.file.Text, min(line.End+1, len(j.file.Text)), 0).End
	}
	return !credentials.Match(j.file.Text[line.Start:line.End])
}

package mention

import "slices"

// Kind is what a finding is about. Kinds are ordered by danger.
type Kind string

// The kinds, the most dangerous first: what fails in silence, what breaks, what must be done by hand, what is left over.
const (
	PipelineEdit  Kind = "pipeline-edit"  // a pipeline edits manifests by a pattern that stops matching: it would deploy stale tags without an error
	Validator     Kind = "validator"      // a policy or a pattern that accepts ECR's names and would reject the new ones
	HostTest      Kind = "host-test"      // a branch that is taken for ECR's names, such as a login, and would be skipped
	AWSOnly       Kind = "aws-only"       // a service of AWS that pulls from ECR alone: Lambda, App Runner, SageMaker
	MatchKey      Kind = "match-key"      // Kustomize compares the name with a base that is not in the tree
	SplitUnknown  Kind = "split-unknown"  // a reference in parts whose join is not known
	VariableHost  Kind = "variable-host"  // the account or the region is a variable
	VariableName  Kind = "variable-repo"  // the name goes on with a variable
	HostOnly      Kind = "host-only"      // a host without a repository
	Unproved      Kind = "unverified"     // verify did not prove that it arrived
	Login         Kind = "login-command"  // it logs in to ECR
	Producer      Kind = "producer"       // it pushes to ECR
	Credentials   Kind = "credentials"    // AWS pull credentials: repositoryCredentials, pull secrets, refresh jobs
	ECRResource   Kind = "ecr-resource"   // an ECR resource in Terraform, CloudFormation, CDK
	ARN           Kind = "arn"            // an ARN of a repository
	OtherRegistry Kind = "other-registry" // another account or region: not part of the migration
	Generated     Kind = "generated"      // a generated file: make it anew
	TestFile      Kind = "test-file"      // a test's text: rewriting might break the test
	Unwritten     Kind = "unwritten"      // the file should have been changed, and was not
	Unreadable    Kind = "unreadable"     // the file cannot be read or is in no known encoding
	CleanUp       Kind = "clean-up"       // to be removed when ECR is left: VPC endpoints, IAM actions, refresh jobs
	TargetOnly    Kind = "target-only"    // with --reverse: an image that exists only in Artifact Registry by now
)

// kinds is their order.
var kinds = []Kind{
	PipelineEdit, Validator, HostTest, AWSOnly, MatchKey, SplitUnknown, VariableHost, VariableName, HostOnly, Unproved, Unwritten, TargetOnly,
	Login, Producer, Credentials, ECRResource, ARN, OtherRegistry, Generated, TestFile, Unreadable, CleanUp,
}

// Compare orders kinds by danger, those that are not known last.
func (k Kind) Compare(o Kind) int { return k.rank() - o.rank() }

// Kinds are all kinds, the most dangerous first.
func Kinds() []Kind { return slices.Clone(kinds) }

func (k Kind) rank() int {
	if n := slices.Index(kinds, k); n >= 0 {
		return n
	}
	return len(kinds)
}

package mention

// Level is how dangerous a kind of finding is.
type Level int

// The levels.
const (
	Note    Level = iota // to be known, or to be removed in the end
	Warning              // it goes on using ECR until somebody acts
	Danger               // it fails, some of it in silence
)

// About is what there is to know of a kind.
type About struct {
	Level Level
	Short string // a sentence: what it is
	Help  string // a few sentences: why it matters, and what to do
}

// About says what there is to know of k.
func (k Kind) About() About {
	if a, ok := about[k]; ok {
		return a
	}
	return About{Level: Warning, Short: "Something that a person must decide about.", Help: "Look at the line and decide."}
}

var about = map[Kind]About{
	PipelineEdit: {Danger, "A pipeline edits manifests by a pattern.",
		"After the references have moved the pattern matches nothing, and the job goes on to deploy the old tag without an error. Change the pattern in the same commit as the manifests."},
	Validator: {Danger, "A policy or a check accepts only names of ECR.",
		"It would reject the new names. Add the new prefix to what it accepts, before the references move, and remove ECR when the move is over."},
	HostTest: {Danger, "A branch is taken only for names of ECR.",
		"After the move it is skipped, often together with a login. Add the branch for the new names."},
	AWSOnly: {Danger, "A service of AWS that pulls from ECR alone.",
		"Lambda, App Runner and SageMaker take no image from Artifact Registry. Leave the reference, and keep these repositories in ECR or in step with it."},
	MatchKey: {Danger, "Kustomize compares this name with a base that is not in the tree.",
		"If only one side is changed the override vanishes without an error. Change the base first, or keep the name and add newName."},
	SplitUnknown: {Danger, "A reference in parts, whose join is not known.",
		"Which image the parts name is not certain, so none of them was changed. See how they are joined and change all of them together."},
	VariableHost: {Warning, "The account or the region is a variable.",
		"What the host becomes is not known. Set the variable to the new host, or write the new prefix in its place."},
	VariableName: {Warning, "A variable continues the name of the repository.",
		"Which repositories it stands for is not known. If all of them have moved, replace the host by the new prefix by hand."},
	HostOnly: {Warning, "A host of ECR without a repository.",
		"What is joined to it is not known. If all of that has moved, write the new prefix in its place."},
	Unproved: {Warning, "A reference that verify did not prove to be at the target.",
		`It stays as it is. Copy what is missing, run "transship verify", and run the rewrite again.`},
	Unwritten: {Warning, "A file that should have been changed and was not.",
		"The reason is told. See to it and run the rewrite again: it does what is left."},
	TargetOnly: {Warning, "On the way back: an image that only Artifact Registry has.",
		"A reference to ECR would not be pulled. Push the image to ECR first, or keep the reference."},
	Login: {Warning, "A login to ECR.",
		"It sends a password of AWS, and is of no use for Artifact Registry. Replace it by a login to Artifact Registry, and keep it as long as anything is pulled from ECR."},
	Producer: {Warning, "It pushes to ECR.",
		"New images go on arriving in ECR alone. Let it push to Artifact Registry, or keep both sides in step until it does."},
	Credentials: {Warning, "Credentials with which images are pulled from ECR.",
		"They do not work for Artifact Registry. Give the puller access there, then remove them."},
	ECRResource: {Note, "A resource of ECR in Terraform, CloudFormation, CDK or the like.",
		"Create its like for Artifact Registry, and remove it when ECR is left."},
	ARN: {Note, "The ARN of a repository.",
		"It names a resource of AWS and has no like in Artifact Registry. Remove it, with its permissions, when ECR is left."},
	OtherRegistry: {Note, "A registry that is not part of the migration.",
		"It stays as it is. If it is to move as well, add it to the sources."},
	Generated: {Note, "A file that a tool wrote.",
		"Make it anew from its source after that has moved."},
	TestFile: {Note, "The text of a test.",
		"Changing it might break the test, so it stays. See whether it is meant as an example or is really pulled."},
	Unreadable: {Warning, "A file or a path that could not be looked at.",
		"What it names is not known. Make it readable, or save it as UTF-8, and run the rewrite again."},
	CleanUp: {Note, "To be removed when ECR is left.",
		"Nothing to do as long as anything is pulled from ECR."},
}

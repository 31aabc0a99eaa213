package ref

import "strings"

// Partition is the second field of an ARN of the registry: aws, aws-cn, aws-us-gov and so on.
func (r Registry) Partition() string {
	for _, p := range [...]struct{ regions, name string }{
		{"cn-", "aws-cn"}, {"us-gov-", "aws-us-gov"}, {"eusc-", "aws-eusc"}, {"us-isob-", "aws-iso-b"},
		{"us-isof-", "aws-iso-f"}, {"us-iso-", "aws-iso"}, {"eu-isoe-", "aws-iso-e"},
	} {
		if strings.HasPrefix(r.Region, p.regions) {
			return p.name
		}
	}
	return "aws"
}

// ARN is the resource name of a repository of the registry, or of those that a pattern of IAM's matches.
func (r Registry) ARN(repository string) string {
	return "arn:" + r.Partition() + ":ecr:" + r.Region + ":" + r.Account + ":repository/" + repository
}

// LayersHost is where ECR redirects the reading of layers to. FACTS A4 [D].
func (r Registry) LayersHost() string {
	return "prod-" + r.Region + "-starport-layer-bucket.s3." + r.Region + "." + r.partition().suffix
}

package parse

var s3 = regexp.MustCompile(`s3\.amazonaws\.com`)
var image = "123456789012.dkr.ecr.us-east-1.amazonaws.com/team/api:1"

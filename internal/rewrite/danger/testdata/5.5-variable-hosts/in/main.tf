locals {
  host  = "${data.aws_caller_identity.current.account_id}.dkr.ecr.${var.region}.amazonaws.com"
  image = format("%s.dkr.ecr.%s.amazonaws.com/team/api", var.account, var.region)
  other = join(".", [var.account, "dkr.ecr", var.region, "amazonaws.com"])
  plain = "123456789012.dkr.ecr.us-east-1.amazonaws.com/team/api:1"
}

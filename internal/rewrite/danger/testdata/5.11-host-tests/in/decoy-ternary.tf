locals {
  image = var.env == "prod" ? "123456789012.dkr.ecr.us-east-1.amazonaws.com/team/api:1" : "123456789012.dkr.ecr.us-east-1.amazonaws.com/team/api:2"
  other = startswith(var.env, "p") ? "123456789012.dkr.ecr.us-east-1.amazonaws.com/team/api:1" : "123456789012.dkr.ecr.us-east-1.amazonaws.com/team/api:2"
}

module "policy" {
  trusted_registries = ["123456789012.dkr.ecr.us-east-1.amazonaws.com/team", "ghcr.io"]
  image              = "123456789012.dkr.ecr.us-east-1.amazonaws.com/team/policy:1"
}

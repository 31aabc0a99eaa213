module "policies" {
  source = "oci://123456789012.dkr.ecr.us-east-1.amazonaws.com/policies/opa-bundle?tag=r1"
}

module "registry" {
  source = "terraform-aws-modules/ecr/aws"
}

resource "aws_ecr_repository" "app" {
  name = "team/api"
}

resource "aws_ecr_lifecycle_policy" "app" {
  repository = aws_ecr_repository.app.name
  policy     = jsonencode({ rules = [] })
}

data "aws_ecr_authorization_token" "token" {}

resource "aws_ecr_pull_through_cache_rule" "hub" {
  ecr_repository_prefix = "docker-hub"
}

module "ecr" {
  source  = "terraform-aws-modules/ecr/aws"
  version = "2.0"
}

resource "kubernetes_deployment" "api" {
  spec {
    image  = "${aws_ecr_repository.app.repository_url}:${var.tag}"
    image2 = "${module.ecr.repository_url}:1"
    image3 = "123456789012.dkr.ecr.us-east-1.amazonaws.com/team/api:1"
  }
}

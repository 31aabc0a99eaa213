resource "aws_ecs_task_definition" "api" {
  family = "api"
  container_definitions = jsonencode([
    {
      name  = "api"
      image = "123456789012.dkr.ecr.us-east-1.amazonaws.com/team/api:1"
    },
    {
      name  = "proxy"
      image = "123456789012.dkr.ecr.us-east-1.amazonaws.com/team/proxy:1"
    }
  ])
}

resource "aws_ecs_task_definition" "ready" {
  container_definitions = jsonencode([{
    image                 = "123456789012.dkr.ecr.us-east-1.amazonaws.com/team/api:1"
    repositoryCredentials = { credentialsParameter = var.secret }
  }])
}

resource "aws_codebuild_project" "b" {
  environment {
    image = "123456789012.dkr.ecr.us-east-1.amazonaws.com/team/builder:1"
  }
}

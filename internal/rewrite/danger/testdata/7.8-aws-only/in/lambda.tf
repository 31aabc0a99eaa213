resource "aws_lambda_function" "fn" {
  function_name = "fn"
  package_type  = "Image"
  image_uri     = "123456789012.dkr.ecr.us-east-1.amazonaws.com/team/fn:1"
  environment {
    variables = {
      WORKER = "123456789012.dkr.ecr.us-east-1.amazonaws.com/team/worker:1"
    }
  }
}

resource "aws_apprunner_service" "web" {
  source_configuration {
    image_repository {
      image_identifier      = "123456789012.dkr.ecr.us-east-1.amazonaws.com/team/web:1"
      image_repository_type = "ECR"
    }
  }
}

resource "aws_sagemaker_model" "m" {
  primary_container {
    image = "123456789012.dkr.ecr.us-east-1.amazonaws.com/team/model:1"
  }
}

module "resize_lambda" {
  source    = "terraform-aws-modules/lambda/aws"
  image_uri = "123456789012.dkr.ecr.us-east-1.amazonaws.com/team/resize:1"
}

module "ecs_api" {
  source    = "./modules/ecs-service"
  image_uri = "123456789012.dkr.ecr.us-east-1.amazonaws.com/team/api:1"
}

variable "lambda_image" {
  default = "123456789012.dkr.ecr.us-east-1.amazonaws.com/team/fn:2"
}

resource "kubernetes_pod" "p" {
  spec {
    container {
      image = "123456789012.dkr.ecr.us-east-1.amazonaws.com/team/pod:1"
    }
  }
}

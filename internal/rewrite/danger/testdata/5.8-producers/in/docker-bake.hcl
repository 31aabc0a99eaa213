target "api" {
  contexts = { base = "docker-image://123456789012.dkr.ecr.us-east-1.amazonaws.com/team/base:1" }
  tags     = ["123456789012.dkr.ecr.us-east-1.amazonaws.com/team/api:1"]
}

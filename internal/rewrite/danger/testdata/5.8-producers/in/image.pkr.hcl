source "docker" "x" {
  image = "123456789012.dkr.ecr.us-east-1.amazonaws.com/team/base:1"
}
build {
  post-processor "docker-tag" {
    repository = "123456789012.dkr.ecr.us-east-1.amazonaws.com/team/api"
  }
}

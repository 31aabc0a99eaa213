registry   = "123456789012.dkr.ecr.us-east-1.amazonaws.com"
repository = "team/web"
image = {
  registry   = "us-docker.pkg.dev"
  repository = "my-gcp-project/app-images/team/web"
}

dependency "ecr" {
  config_path = "../ecr"
}
inputs = {
  repo  = dependency.ecr.outputs.repository_url
  image = "123456789012.dkr.ecr.us-east-1.amazonaws.com/team/api:1"
}

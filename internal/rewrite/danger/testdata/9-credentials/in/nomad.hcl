job "api" {
  group "api" {
    task "api" {
      driver = "docker"
      config {
        image = "123456789012.dkr.ecr.us-east-1.amazonaws.com/team/api:1.0.0"
        auth {
          server_address = "123456789012.dkr.ecr.us-east-1.amazonaws.com"
          username       = "AWS"
        }
      }
    }
  }
}

resource "helm_release" "web" {
  name = "web"

  set {
    name  = "image.registry" # where from
    value = "us-docker.pkg.dev"
  }

  set {
    name  = "image.repository"
    value = "my-gcp-project/app-images/team/web"
  }
}

resource "helm_release" "api" {
  set = [
    { name = "image.registry", value = "us-docker.pkg.dev" },
    { name = "image.repository", value = "my-gcp-project/app-images/team/api" },
    { name = "image.tag", value = var.tag },
  ]
}

resource "helm_release" "half" {
  set {
    name  = "image.registry"
    value = "123456789012.dkr.ecr.us-east-1.amazonaws.com"
  }
}

resource "helm_release" "other" {
  set {
    name  = "image.repository"
    value = "team/api"
  }
  values = [yamlencode({ image = { registry = "us-docker.pkg.dev", repository = "my-gcp-project/app-images/team/worker" } }), <<-EOT
    image:
      registry: us-docker.pkg.dev
      repository: my-gcp-project/app-images/team/web
    EOT
  ]
}

locals {
  web  = { registry = "us-docker.pkg.dev", repository = "my-gcp-project/app-images/team/web" }
  name = { registry = "123456789012.dkr.ecr.us-east-1.amazonaws.com", repository = "team/${var.name}" }
  escaped = { registry = "123456789012.dkr.ecr.us-east-1.amazonaws.com", repository = "team\u002fweb" }
}

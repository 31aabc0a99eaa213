resource "helm_release" "web" {
  name = "web"

  set {
    name  = "image.registry" # where from
    value = "123456789012.dkr.ecr.us-east-1.amazonaws.com"
  }

  set {
    name  = "image.repository"
    value = "team/web"
  }
}

resource "helm_release" "api" {
  set = [
    { name = "image.registry", value = "123456789012.dkr.ecr.us-east-1.amazonaws.com" },
    { name = "image.repository", value = "team/api" },
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
  values = [yamlencode({ image = { registry = "123456789012.dkr.ecr.us-east-1.amazonaws.com", repository = "team/worker" } }), <<-EOT
    image:
      registry: 123456789012.dkr.ecr.us-east-1.amazonaws.com
      repository: team/web
    EOT
  ]
}

locals {
  web  = { registry = "123456789012.dkr.ecr.us-east-1.amazonaws.com", repository = "team/web" }
  name = { registry = "123456789012.dkr.ecr.us-east-1.amazonaws.com", repository = "team/${var.name}" }
  escaped = { registry = "123456789012.dkr.ecr.us-east-1.amazonaws.com", repository = "team\u002fweb" }
}

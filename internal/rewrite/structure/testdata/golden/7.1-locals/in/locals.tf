locals {
  images = {
    api = "123456789012.dkr.ecr.us-east-1.amazonaws.com/team/api"
    web = "123456789012.dkr.ecr.us-east-1.amazonaws.com/team/web"
  }
  api    = "${local.images.api}:${var.tag}"
  other  = "${local.images.web}-${var.flavour}:1"
  worker = "${var.base}-unknown:1"
  fixed  = "${var.fixed}:1"
}

variable "base" {
  type    = string
  default = "123456789012.dkr.ecr.us-east-1.amazonaws.com/team/api"
}

variable "fixed" {
  default = "123456789012.dkr.ecr.us-east-1.amazonaws.com/team/api"
}

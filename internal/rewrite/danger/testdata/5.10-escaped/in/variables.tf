variable "image" {
  type    = string
  default = "123456789012.dkr.ecr.us-east-1.amazonaws.com/team/api:1"
  validation {
    condition     = can(regex("^[0-9]{12}\\.dkr\\.ecr\\.[a-z0-9-]+\\.amazonaws\\.com/", var.image))
    error_message = "It must be in ECR."
  }
}

variable "repository" {
  validation {
    condition = startswith(var.repository, "123456789012.dkr.ecr.us-east-1.amazonaws.com/team/api")
  }
}

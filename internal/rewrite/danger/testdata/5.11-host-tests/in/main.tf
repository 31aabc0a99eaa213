locals {
  is_ecr = can(regex("dkr.ecr", var.image)) && var.login
  private = length(regexall(".*\.dkr\.ecr\..*", var.image)) > 0
}

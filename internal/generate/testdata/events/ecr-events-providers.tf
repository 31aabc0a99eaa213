# Made by "transship generate events". Running that again replaces
# this file, so changes belong into files of your own: to keep one that was made
# here, remove this comment.
#
# One provider a registry, for the queue has to be where the registry is. Each
# refuses another account than its own. Say how to sign in to which account in
# the variable, or by the environment where there is one account.

terraform {
  required_version = ">= 1.5"

  required_providers {
    aws = {
      source  = "hashicorp/aws"
      version = ">= 5.0"
    }
  }
}

variable "transship_aws_profiles" {
  description = "Profile of the AWS configuration for each account: { \"123456789012\" = \"production\" }"
  type        = map(string)
  default     = {}
}

provider "aws" {
  alias               = "transship_123456789012_eu_west_1"
  region              = "eu-west-1"
  allowed_account_ids = ["123456789012"]
  profile             = lookup(var.transship_aws_profiles, "123456789012", null)
}

provider "aws" {
  alias               = "transship_123456789012_us_east_1"
  region              = "us-east-1"
  allowed_account_ids = ["123456789012"]
  profile             = lookup(var.transship_aws_profiles, "123456789012", null)
}

provider "aws" {
  alias               = "transship_210987654321_cn_north_1"
  region              = "cn-north-1"
  allowed_account_ids = ["210987654321"]
  profile             = lookup(var.transship_aws_profiles, "210987654321", null)
}

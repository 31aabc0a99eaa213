# Made by "transship generate terraform". Running that again replaces
# this file, so changes belong into files of your own: to keep one that was made
# here, remove this comment.

terraform {
  required_version = ">= 1.5"

  required_providers {
    google = {
      source  = "hashicorp/google"
      version = ">= 6.15"
    }
  }
}

# Made by "transship generate terraform". Running that again replaces
# this file, so changes belong into files of your own: to keep one that was made
# here, remove this comment.
#
# What exists already, so that Terraform takes it over rather than creating it.

import {
  to = google_artifact_registry_repository.tools__europe_west3__example_com_my_project__d8b51579
  id = "projects/example.com:my-project/locations/europe-west3/repositories/tools"
}

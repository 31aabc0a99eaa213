# Made by "transship generate terraform". Running that again replaces
# this file, so changes belong into files of your own: to keep one that was made
# here, remove this comment.

# Left out, lifecycle: 1 clean-up policy of others is at work there: what ours change would delete at once, and dry run would stop theirs. To do: turn on dry run there, or map to another repository.
resource "google_artifact_registry_repository" "tools__europe_west3__example_com_my_project__d8b51579" {
  project       = "example.com:my-project"
  location      = "europe-west3"
  repository_id = "tools"
  format        = "DOCKER"
  description   = "evil $${file(\"/etc/passwd\")} %%{ if true }\"\n} resource \"x\" \"y\" { # \u001b[2J\u2028\\"
  labels = {
    owner = "somebody"
    team  = "tools"
  }
  cleanup_policy_dry_run = false

  docker_config {
    immutable_tags = true
  }

  vulnerability_scanning_config {
    enablement_config = "DISABLED"
  }

  cleanup_policies {
    id     = "by-hand"
    action = "DELETE"

    condition {
      tag_state  = "UNTAGGED"
      older_than = "86400s"
    }
  }
}

# Left out, immutability: its tags are not made immutable, for it is only being created and holds no images. To do: run "transship copy", then "transship provision --finish" again.
resource "google_artifact_registry_repository" "app_images__us__my_gcp_project" {
  project       = "my-gcp-project"
  location      = "us"
  repository_id = "app-images"
  format        = "DOCKER"
  description   = "Images, moved by transship"
  kms_key_name  = "projects/my-gcp-project/locations/us/keyRings/registry/cryptoKeys/images"
  labels = {
    a_b         = ""
    cost-center = "42"
    team        = "payments"
  }
  cleanup_policy_dry_run = true

  docker_config {
    immutable_tags = false
  }

  vulnerability_scanning_config {
    enablement_config = "INHERITED"
  }

  cleanup_policies {
    id     = "transship-newest"
    action = "KEEP"

    most_recent_versions {
      package_name_prefixes = ["team/"]
      keep_count            = 10
    }
  }

  cleanup_policies {
    id     = "transship-r1"
    action = "DELETE"

    condition {
      tag_state             = "TAGGED"
      tag_prefixes          = ["dev", "pr-$${n}"]
      version_name_prefixes = ["sha256:0"]
      package_name_prefixes = ["team/"]
      older_than            = "1209600s"
      newer_than            = "31536000s"
    }
  }
}

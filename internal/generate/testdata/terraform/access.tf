# Made by "transship generate terraform". Running that again replaces
# this file, so changes belong into files of your own: to keep one that was made
# here, remove this comment.
#
# Who may do what with the images: as suggested, and reviewed by you.

# In AWS: evil ${file("/etc/passwd")} %{ if true }" } resource "x" "y" { # \
resource "google_artifact_registry_repository_iam_member" "app_images__us__my_gcp_project__reader__7c80c3eb" {
  project    = google_artifact_registry_repository.app_images__us__my_gcp_project.project
  location   = google_artifact_registry_repository.app_images__us__my_gcp_project.location
  repository = google_artifact_registry_repository.app_images__us__my_gcp_project.name
  role       = "roles/artifactregistry.reader"
  member     = "group:evil $${file(\"/etc/passwd\")} %%{ if true }\"\n} resource \"x\" \"y\" { # \u001b[2J\u2028\\"
}

# In AWS: arn:aws:iam::123456789012:root
# In AWS: arn:aws:iam::210987654321:root
resource "google_artifact_registry_repository_iam_member" "app_images__us__my_gcp_project__reader__aa6e01d8" {
  project    = google_artifact_registry_repository.app_images__us__my_gcp_project.project
  location   = google_artifact_registry_repository.app_images__us__my_gcp_project.location
  repository = google_artifact_registry_repository.app_images__us__my_gcp_project.name
  role       = "roles/artifactregistry.reader"
  member     = "group:team@example.com"
}

# In AWS: arn:aws:iam::123456789012:role/ci
resource "google_artifact_registry_repository_iam_member" "app_images__us__my_gcp_project__writer__2e840876" {
  project    = google_artifact_registry_repository.app_images__us__my_gcp_project.project
  location   = google_artifact_registry_repository.app_images__us__my_gcp_project.location
  repository = google_artifact_registry_repository.app_images__us__my_gcp_project.name
  role       = "roles/artifactregistry.writer"
  member     = "serviceAccount:ci@my-gcp-project.iam.gserviceaccount.com"
}

# In AWS: arn:aws:iam::210987654321:root
resource "google_artifact_registry_repository_iam_member" "other__us__my_gcp_project__reader__aa6e01d8" {
  project    = "my-gcp-project"
  location   = "us"
  repository = "other"
  role       = "roles/artifactregistry.reader"
  member     = "group:team@example.com"
}

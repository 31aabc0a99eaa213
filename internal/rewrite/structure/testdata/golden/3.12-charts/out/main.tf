resource "helm_release" "web" {
  repository = "oci://us-docker.pkg.dev/my-gcp-project/app-images/charts"
  chart      = "web"
  version    = "1.2.3"
}
resource "helm_release" "variable" {
  repository = "oci://123456789012.dkr.ecr.us-east-1.amazonaws.com/charts"
  chart      = var.chart
}
resource "helm_release" "full" {
  chart = "oci://us-docker.pkg.dev/my-gcp-project/app-images/charts/web"
}
module "vpc" {
  source = "oci://us-docker.pkg.dev/my-gcp-project/app-images/mod/vpc?tag=1.0.0"
}

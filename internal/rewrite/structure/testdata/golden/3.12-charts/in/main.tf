resource "helm_release" "web" {
  repository = "oci://123456789012.dkr.ecr.us-east-1.amazonaws.com/charts"
  chart      = "web"
  version    = "1.2.3"
}
resource "helm_release" "variable" {
  repository = "oci://123456789012.dkr.ecr.us-east-1.amazonaws.com/charts"
  chart      = var.chart
}
resource "helm_release" "full" {
  chart = "oci://123456789012.dkr.ecr.us-east-1.amazonaws.com/charts/web"
}
module "vpc" {
  source = "oci://123456789012.dkr.ecr.us-east-1.amazonaws.com/mod/vpc?tag=1.0.0"
}

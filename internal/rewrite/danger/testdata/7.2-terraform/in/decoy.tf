resource "aws_secretsmanager_secret" "s" {
  name = "decree"
}
resource "helm_release" "api" {
  set {
    name  = "image"
    value = "123456789012.dkr.ecr.us-east-1.amazonaws.com/team/api:1"
  }
}

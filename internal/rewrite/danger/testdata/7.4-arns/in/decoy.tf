locals {
  other = "arn:aws:ecr:us-west-2:602401143452:repository/eks/pause"
  s3    = "arn:aws:s3:::bucket"
  kms   = "arn:aws:secretsmanager:us-east-1:123456789012:secret:x"
}

resource "aws_vpc_endpoint" "dkr" {
  service_name = "com.amazonaws.us-east-1.ecr.dkr"
}
resource "aws_vpc_endpoint" "api" {
  service_name = "com.amazonaws.${var.region}.ecr.api"
}
resource "aws_iam_role_policy_attachment" "nodes" {
  policy_arn = "arn:aws:iam::aws:policy/AmazonEC2ContainerRegistryReadOnly"
}

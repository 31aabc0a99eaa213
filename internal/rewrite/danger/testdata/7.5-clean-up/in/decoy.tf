resource "aws_vpc_endpoint" "s3" {
  service_name = "com.amazonaws.us-east-1.s3"
}
locals { action = "ecr2:x secr:GetSecret" }

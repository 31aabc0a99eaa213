resource "null_resource" "push" {
  provisioner "local-exec" {
    command = <<EOF
      aws ecr get-login-password | docker login --username AWS --password-stdin ${var.account_id}.dkr.ecr.${var.region}.amazonaws.com
      docker build -t ${aws_ecr_repository.app.repository_url}:latest .
      docker push ${aws_ecr_repository.app.repository_url}:latest
EOF
  }
}

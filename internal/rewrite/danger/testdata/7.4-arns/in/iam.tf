data "aws_iam_policy_document" "pull" {
  statement {
    actions = [
      "ecr:BatchGetImage",
      "ecr:GetDownloadUrlForLayer",
    ]
    resources = [
      "arn:aws:ecr:us-east-1:123456789012:repository/team/*",
      "arn:aws:ecr:us-east-1:123456789012:repository/web",
    ]
  }
  statement {
    resources = ["123456789012.dkr.ecr.us-east-1.amazonaws.com/*"]
  }
}

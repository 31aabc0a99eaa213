docker pull $ECR_REPO:$CI_COMMIT_SHA
docker pull ${ECR_REPO}:1
docker logout $ECR_REGISTRY
docker pull ${IMAGE:-123456789012.dkr.ecr.us-east-1.amazonaws.com/team/api:1}

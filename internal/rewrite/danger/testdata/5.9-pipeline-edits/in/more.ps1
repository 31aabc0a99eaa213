$content = $content -replace "ACCOUNT_ID\.dkr\.ecr\.REGION\.amazonaws\.com/api:latest", "$ECR_REGISTRY/api:latest"

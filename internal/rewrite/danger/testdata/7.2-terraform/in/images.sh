aws ecr describe-images --repository-name team/api
aws --region us-east-1 ecr create-repository --repository-name team/new

aws apprunner update-service --service-arn "$ARN" --source-configuration ImageRepository={ImageIdentifier=123456789012.dkr.ecr.us-east-1.amazonaws.com/team/web:1}
aws apprunner list-services
docker run 123456789012.dkr.ecr.us-east-1.amazonaws.com/team/web-tools:1

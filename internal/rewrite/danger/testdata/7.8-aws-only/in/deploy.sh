aws lambda update-function-code --function-name fn \
  --image-uri 123456789012.dkr.ecr.us-east-1.amazonaws.com/team/fn:1
aws sagemaker create-model --primary-container Image=123456789012.dkr.ecr.us-east-1.amazonaws.com/team/model:1
docker pull 123456789012.dkr.ecr.us-east-1.amazonaws.com/team/api:1

#!/usr/bin/env bash
set -e
aws ecr get-login-password --region us-east-1 | docker login --username AWS --password-stdin 123456789012.dkr.ecr.us-east-1.amazonaws.com
aws ecr get-login-password --region "$AWS_REGION" \
  | docker login --username AWS \
    --password-stdin "${AWS_ACCOUNT_ID}.dkr.ecr.${AWS_REGION}.amazonaws.com"
$(aws ecr get-login --no-include-email --region us-east-1)
eval "$(aws ecr get-login --region us-east-1 | sed 's/-e none//')"
docker login -u AWS -p $(aws ecr get-login-password) https://123456789012.dkr.ecr.us-east-1.amazonaws.com
docker login -u AWS -p hunter2hunter2 123456789012.dkr.ecr.us-east-1.amazonaws.com
aws ecr get-login-password | helm registry login --username AWS --password-stdin 123456789012.dkr.ecr.us-east-1.amazonaws.com
aws ecr get-login-password |
  podman login -u AWS --password-stdin 123456789012.dkr.ecr.us-east-1.amazonaws.com
crane auth login 123456789012.dkr.ecr.us-east-1.amazonaws.com -u AWS -p "$PASS"
aws --profile prod --region us-east-1 ecr get-login-password | oras login --username AWS --password-stdin $ECR_REGISTRY
TOKEN=$(aws ecr get-login-password)
echo "$TOKEN" | buildah login -u AWS --password-stdin 123456789012.dkr.ecr.us-east-1.amazonaws.com
echo "$TOKEN" | skopeo login -u AWS --password-stdin 123456789012.dkr.ecr.us-east-1.amazonaws.com
docker pull 123456789012.dkr.ecr.us-east-1.amazonaws.com/team/api:1.4.2

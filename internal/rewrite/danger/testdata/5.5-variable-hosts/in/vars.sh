REPO="${ACCT}.dkr.ecr.${REGION}.amazonaws.com/team/api"
IMG=$ACCT.dkr.ecr.us-east-1.amazonaws.com/team/api:1
HOST=$(aws sts get-caller-identity --query Account --output text).dkr.ecr.us-east-1.amazonaws.com
FIPS=$ACCT.dkr.ecr-fips.$REGION.amazonaws.com/team/api
DUAL=$ACCT.dkr-ecr.$REGION.on.aws/team/api
LITERAL_ACCOUNT=123456789012.dkr.ecr.${REGION}.amazonaws.com/team/api
printf '%s.dkr.ecr.%s.amazonaws.com/%s' "$A" "$R" "$N"
kubectl run api --image "$ECR_REGISTRY/team/api:1"
kubectl run api --image "${ECR_REPOSITORY_URL}/api:1"
OK=123456789012.dkr.ecr.us-east-1.amazonaws.com/team/api:${TAG}

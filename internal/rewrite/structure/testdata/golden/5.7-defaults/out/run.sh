REGISTRY=${REGISTRY:-123456789012.dkr.ecr.us-east-1.amazonaws.com}
FULL=${ECR_REPOSITORY:-us-docker.pkg.dev/my-gcp-project/app-images/team/api}
GROWN=${ECR_REPOSITORY:-123456789012.dkr.ecr.us-east-1.amazonaws.com/team/web}-dev
IMAGE="123456789012.dkr.ecr.us-east-1.amazonaws.com/team/worker"
docker run "$IMAGE-slim"
OK=us-docker.pkg.dev/my-gcp-project/app-images/team/api
docker run $OK:1 "${OK}"
BOTH=us-docker.pkg.dev/my-gcp-project/app-images/team/base
docker run ${BOTH}-dev
aws ecr get-login-password | docker login -u AWS --password-stdin 123456789012.dkr.ecr.us-east-1.amazonaws.com
docker pull $REGISTRY/team/api

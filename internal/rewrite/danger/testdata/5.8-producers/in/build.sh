IMAGE=123456789012.dkr.ecr.us-east-1.amazonaws.com/team/web
docker build --build-arg BASE=123456789012.dkr.ecr.us-east-1.amazonaws.com/team/base:1 -t local .
docker build -t 123456789012.dkr.ecr.us-east-1.amazonaws.com/team/api:$TAG \
  --cache-from 123456789012.dkr.ecr.us-east-1.amazonaws.com/team/api:cache .
docker push 123456789012.dkr.ecr.us-east-1.amazonaws.com/team/api:$TAG
docker tag local 123456789012.dkr.ecr.us-east-1.amazonaws.com/team/worker:1
docker tag 123456789012.dkr.ecr.us-east-1.amazonaws.com/team/tools:1 tools:local
docker build -t "$IMAGE:$TAG" . && docker push "$IMAGE:$TAG"
docker buildx build --push --cache-to type=registry,ref=123456789012.dkr.ecr.us-east-1.amazonaws.com/team/cache -t 123456789012.dkr.ecr.us-east-1.amazonaws.com/team/job:1 .
skopeo copy docker://docker.io/library/redis:7 docker://123456789012.dkr.ecr.us-east-1.amazonaws.com/mirror/redis:7
skopeo copy docker://123456789012.dkr.ecr.us-east-1.amazonaws.com/team/export:1 dir:/tmp/x
crane push image.tar 123456789012.dkr.ecr.us-east-1.amazonaws.com/team/tarred:1
oras push 123456789012.dkr.ecr.us-east-1.amazonaws.com/team/artifact:1 file.txt
helm push web-1.0.0.tgz oci://123456789012.dkr.ecr.us-east-1.amazonaws.com/charts
aws ecr get-login-password | docker login --username AWS --password-stdin 123456789012.dkr.ecr.us-east-1.amazonaws.com && docker push 123456789012.dkr.ecr.us-east-1.amazonaws.com/team/api:$TAG
kubectl set image deploy/api api=123456789012.dkr.ecr.us-east-1.amazonaws.com/team/api:$TAG
kubectl set image deploy/other other=123456789012.dkr.ecr.us-east-1.amazonaws.com/team/other:1

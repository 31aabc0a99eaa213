docker pull 123456789012.dkr.ecr.us-east-1.amazonaws.com/team/api:1
docker run --rm 123456789012.dkr.ecr.us-east-1.amazonaws.com/team/api:1
docker build -t ghcr.io/acme/api --build-arg BASE=123456789012.dkr.ecr.us-east-1.amazonaws.com/team/base:1 .
docker push ghcr.io/acme/api
skopeo copy docker://123456789012.dkr.ecr.us-east-1.amazonaws.com/team/api:1 docker://ghcr.io/acme/api:1
crane copy 123456789012.dkr.ecr.us-east-1.amazonaws.com/team/api:1 ghcr.io/acme/api:1
docker save 123456789012.dkr.ecr.us-east-1.amazonaws.com/team/api:1 > api.tar
git push origin main

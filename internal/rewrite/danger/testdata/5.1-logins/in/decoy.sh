# log in to what AWS keeps for EKS
aws_secret=$(vault read secret/ecrypt)
docker login -u user -p "$SECRET" ghcr.io
docker login --username AWS --password-stdin 602401143452.dkr.ecr.us-west-2.amazonaws.com
docker login --username AWS --password-stdin public.ecr.aws
echo "decree; secreted; SECRET_ECRYPT"
helm registry login ghcr.io
docker run 123456789012.dkr.ecr.us-east-1.amazonaws.com/team/api:1.4.2

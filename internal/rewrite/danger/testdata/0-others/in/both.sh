docker push 123456789012.dkr.ecr.eu-west-1.amazonaws.com/team/api:1 && docker push 123456789012.dkr.ecr.us-east-1.amazonaws.com/team/api:1
docker login 123456789012.dkr.ecr-fips.us-east-1.amazonaws.com
docker login 123456789012.dkr-ecr.us-east-1.on.aws

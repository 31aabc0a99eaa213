docker pull 123456789.dkr.ecr.us-east-1.amazonaws.com/team/api:1.0.0
docker pull ${PREFIX}12.dkr.ecr.us-east-1.amazonaws.com/team/api:1.0.0
docker pull 123456789.dkr.ecr.$REGION.amazonaws.com/team/api:1.0.0

run docker pull 123456789012.dkr.ecr.us-east-1.amazonaws.com/team/api:1

[ "$ENV" = prod ] && docker run 123456789012.dkr.ecr.us-east-1.amazonaws.com/team/api:1
[[ "$ENV" == prod ]] && docker run 123456789012.dkr.ecr.us-east-1.amazonaws.com/team/api:1
grep -q x file || docker run 123456789012.dkr.ecr.us-east-1.amazonaws.com/team/api:1

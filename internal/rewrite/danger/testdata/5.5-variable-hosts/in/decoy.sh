IMAGE=123456789012.dkr.ecr.us-east-1.amazonaws.com/team/api:$TAG
OTHER=602401143452.dkr.ecr.us-west-2.amazonaws.com/eks/pause:3.5
SECRET_URL=${SECRET_HOST}/secret/x
echo ${DECREE}/x ${secrets}/y

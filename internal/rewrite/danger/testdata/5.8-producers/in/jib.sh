mvn compile jib:build -Djib.to.image=123456789012.dkr.ecr.us-east-1.amazonaws.com/team/api -Djib.from.image=123456789012.dkr.ecr.us-east-1.amazonaws.com/team/jre:17
KO_DOCKER_REPO=123456789012.dkr.ecr.us-east-1.amazonaws.com/team ko build ./cmd/x

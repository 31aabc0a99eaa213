docker login --username AWS --password-stdin 602401143452.dkr.ecr.us-west-2.amazonaws.com
docker push 123456789012.dkr.ecr.eu-west-1.amazonaws.com/team/api:1
docker pull 763104351884.dkr.ecr.us-east-1.amazonaws.com/pytorch-training:2
sed -i "s|old|602401143452.dkr.ecr.us-west-2.amazonaws.com/eks/pause|" x.conf

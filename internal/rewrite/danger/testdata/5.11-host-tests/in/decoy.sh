for image in 123456789012.dkr.ecr.us-east-1.amazonaws.com/team/api:1 123456789012.dkr.ecr.us-east-1.amazonaws.com/team/web:1; do docker pull "$image"; done
if [ -n "$X" ]; then docker run 123456789012.dkr.ecr.us-east-1.amazonaws.com/team/api:1; fi
grep secret file
case "$X" in *secret*) echo ;; esac

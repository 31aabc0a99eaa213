#!/bin/sh
helm upgrade web ./chart --set image.registry=123456789012.dkr.ecr.us-east-1.amazonaws.com,image.repository=team/web --set image.tag=1.4.2
helm upgrade web ./chart \
  --set image.registry=123456789012.dkr.ecr.us-east-1.amazonaws.com \
  --set-string "image.repository=team/api" \
  --set image.tag=$TAG
helm upgrade web ./chart --set a=123456789012.dkr.ecr.us-east-1.amazonaws.com/team/api,b=123456789012.dkr.ecr.us-east-1.amazonaws.com/team/web
helm upgrade web ./chart --set image.registry=123456789012.dkr.ecr.us-east-1.amazonaws.com
helm upgrade web ./chart --set image.repository=team/web
helm upgrade web ./chart --set image.registry="123456789012.dkr.ecr.us-east-1.amazonaws.com" --set image.repository="team/legacy"
helm upgrade web ./chart --set image.registry=123456789012.dkr.ecr.us-east-1.amazonaws.com --set image.repository=team/$NAME
helm upgrade web ./chart --set global.imageRegistry=123456789012.dkr.ecr.us-east-1.amazonaws.com --set api.image.repository=team/api
helm upgrade a ./a --set image.registry=123456789012.dkr.ecr.us-east-1.amazonaws.com; helm upgrade b ./b --set image.repository=team/api

sed -i "s|image: .*/api:.*|image: $IMAGE|" k8s/deployment.yaml
sed -i 's|${ECR_REGISTRY}|123456789012.dkr.ecr.us-east-1.amazonaws.com|' k8s/*.yaml
sed -i "s|__IMAGE__|123456789012.dkr.ecr.us-east-1.amazonaws.com/team/api:$TAG|g" k8s/deployment.yaml
sed "s#123456789012.dkr.ecr.us-east-1.amazonaws.com/team/api:.*#123456789012.dkr.ecr.us-east-1.amazonaws.com/team/api:$TAG#" k8s/deployment.yaml | kubectl apply -f -
sed -i "s/123456789012\.dkr\.ecr\.us-east-1\.amazonaws\.com\/team\/api:.*/$NEW/" k8s/deployment.yaml
perl -pi -e 's{image:\s*\S+/api:\S+}{image: $ENV{IMAGE}}' k8s/deployment.yaml
awk '{ gsub(/image: .*/, "image: " img) }1' img="$IMAGE" k8s/deployment.yaml > out.yaml
yq -i ".spec.template.spec.containers[0].image = \"$ECR_REGISTRY/team/api:$TAG\"" k8s/deployment.yaml
yq -i '.image.repository = strenv(REPO)' values.yaml
yq e -i '(.images[] | select(.name == "123456789012.dkr.ecr.us-east-1.amazonaws.com/team/api")).newTag = env(TAG)' kustomization.yaml
(cd overlays/prod && kustomize edit set image 123456789012.dkr.ecr.us-east-1.amazonaws.com/team/api=123456789012.dkr.ecr.us-east-1.amazonaws.com/team/api:$TAG)
kustomize edit set image api=$REGISTRY/api:$TAG
jq --arg IMAGE "$IMAGE" '.containerDefinitions[0].image = $IMAGE' task.json > new.json
IMAGE=$ECR_REGISTRY/api:$TAG envsubst < k8s/deployment.yaml | kubectl apply -f -
argocd app set api --kustomize-image 123456789012.dkr.ecr.us-east-1.amazonaws.com/team/api:$TAG

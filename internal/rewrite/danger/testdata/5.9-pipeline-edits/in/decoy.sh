sed -i "s|__TAG__|$TAG|" k8s/deployment.yaml
sed -i 's/version: .*/version: 2/' Chart.yaml
CURRENT=$(grep image: k8s/deployment.yaml | sed 's/.*image: //')
yq -i '.image.tag = strenv(TAG)' values.yaml
yq '.image' values.yaml
yq -i '.image = "docker.io/library/redis:7"' values.yaml
jq '.items[].spec.containers[].image' pods.json
used image: nothing

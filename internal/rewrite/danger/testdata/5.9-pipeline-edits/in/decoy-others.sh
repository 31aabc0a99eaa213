sed -i "s|image: ghcr.io/.*/api:.*|image: ghcr.io/acme/api:$SHA|" k8s/deployment.yaml
sed -i "s|image: .*api.*|image: acme/api:latest|" k8s/deployment.yaml
sed -i 's|image: .*|image: redis:7|' k8s/deployment.yaml
sed -i "s|image: gcr\.io/x:.*|image: gcr.io/x:$SHA|" k8s/deployment.yaml

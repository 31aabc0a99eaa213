REGION=$(echo "$IMAGE" | sed -nE 's|^[0-9]+\.dkr\.ecr\.([^.]+)\.amazonaws\.com/.*|\1|p')
[[ "$IMAGE" =~ ^[0-9]{12}\.dkr\.ecr\.[a-z0-9-]+\.amazonaws\.com/api$ ]] || exit 1

if [[ "$IMAGE" == *.dkr.ecr.*.amazonaws.com/* ]]; then
  login
fi
case "$IMAGE" in
  *.dkr.ecr.*) login ;;
  123456789012.dkr.ecr.us-east-1.amazonaws.com/*) login ;;
esac
if echo "$IMAGE" | grep -q 'dkr.ecr'; then login; fi
if [ "$REGISTRY_TYPE" = "ecr" ]; then login; fi
[[ $IMAGE =~ dkr.ecr ]] && login

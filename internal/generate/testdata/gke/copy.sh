#!/bin/sh
# Made by "transship generate kubernetes". Running that again replaces
# this file, so changes belong into files of your own: to keep one that was made
# here, remove this comment.
#
# Upload the plan, and start the copy. Again, at any time: only what is missing is
# copied. Before it: setup.sh and aws.sh once; "transship plan" and "transship
# provision" for this plan. After it: "transship verify", here, which asks both
# sides afresh what arrived.
set -eu
PLAN=${1:-transship/plan.json}
gcloud storage cp "$PLAN" 'gs://my-migration/transship/plan.json'
kubectl delete job 'transship-copy' --namespace='transship' --ignore-not-found
kubectl apply -f "$(dirname "$0")/copy.yaml"
cat <<'EOF'
To watch it:
  kubectl get job transship-copy --namespace=transship --watch
  kubectl logs --namespace=transship --selector=app.kubernetes.io/instance=transship,app.kubernetes.io/component=copy --prefix --follow --max-log-requests=3
EOF

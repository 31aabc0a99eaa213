#!/bin/sh
{{header}}
#
# Upload the plan, and start the copy. Again, at any time: only what is missing is
# copied. Before it: setup.sh and aws.sh once; "transship plan" and "transship
# provision" for this plan. After it: "transship verify", here, which asks both
# sides afresh what arrived.
set -eu
PLAN=${1:-{{.Plan}}}
{{if eq .Platform "gke"}}gcloud storage cp{{else}}aws s3 cp{{end}} "$PLAN" {{if eq .Platform "gke"}}{{shell (printf "gs://%s/%s/plan.json" .Bucket .Name)}}{{else}}{{shell (printf "s3://%s/%s/plan.json" .Bucket .Name)}}{{end}}
kubectl delete job {{shell (printf "%s-copy" .Name)}} --namespace={{shell .Namespace}} --ignore-not-found
kubectl apply -f "$(dirname "$0")/copy.yaml"
cat <<'EOF'
To watch it:
  kubectl get job {{.Name}}-copy --namespace={{.Namespace}} --watch
  kubectl logs --namespace={{.Namespace}} --selector=app.kubernetes.io/instance={{.Name}},app.kubernetes.io/component=copy --prefix --follow --max-log-requests={{.Shards}}
EOF

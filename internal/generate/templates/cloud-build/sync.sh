#!/bin/sh
{{header}}
#
# Make a trigger of the sync, and have Cloud Scheduler pull it. Before it:
# setup.sh, aws.sh and copy.sh. To end it:
#   gcloud scheduler jobs delete {{.Name}}-sync --location=LOCATION
#   gcloud builds triggers delete {{.Name}}-sync --region={{.Region}}
set -eu
# Where Cloud Scheduler runs.
LOCATION={{if eq .Region "global"}}${1:?usage: ./sync.sh LOCATION (such as us-central1)}{{else}}${1:-{{.Region}}}{{end}}
gcloud storage cp "$(dirname "$0")/transship.yaml" {{shell (printf "gs://%s/%s/transship.yaml" .Bucket .Name)}}
# Only manual triggers can be scheduled, and a trigger is replaced as a whole.
gcloud builds triggers delete {{shell (printf "%s-sync" .Name)}} --region={{shell .Region}} --project={{shell .Project}} --quiet 2>/dev/null || true
gcloud builds triggers create manual --name={{shell (printf "%s-sync" .Name)}} --region={{shell .Region}} --project={{shell .Project}} \
  --inline-config="$(dirname "$0")/sync.yaml" \
  --service-account={{shell (printf "projects/%s/serviceAccounts/%s" .Project .Account)}}

{{include "part-scheduler" .}}
# To pull a trigger, it must be able to start builds, and to act as their account.
gcloud projects add-iam-policy-binding {{shell .Project}} --member={{shell (printf "serviceAccount:%s" .Scheduler)}} \
  --role=roles/cloudbuild.builds.editor --condition=None
gcloud iam service-accounts add-iam-policy-binding {{shell .Account}} --project={{shell .Project}} \
  --member={{shell (printf "serviceAccount:%s" .Scheduler)}} --role=roles/iam.serviceAccountUser

URI={{shell (printf "https://cloudbuild.googleapis.com/v1/projects/%s/locations/%s/triggers/%s-sync:run" .Project .Region .Name)}}
{{include "part-schedule" .}} \
  --headers=Content-Type=application/json --message-body='{}'

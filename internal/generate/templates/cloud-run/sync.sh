#!/bin/sh
{{header}}
#
# Have Cloud Scheduler start the sync. Before it: setup.sh, aws.sh and copy.sh.
# To end it: gcloud scheduler jobs delete {{.Name}}-sync --location={{.Region}}
set -eu
LOCATION={{shell .Region}}
gcloud storage cp "$(dirname "$0")/transship.yaml" {{shell (printf "gs://%s/%s/transship.yaml" .Bucket .Name)}}
gcloud run jobs replace "$(dirname "$0")/sync.yaml" --region={{shell .Region}} --project={{shell .Project}}

{{include "part-scheduler" .}}
gcloud run jobs add-iam-policy-binding {{shell (printf "%s-sync" .Name)}} --region={{shell .Region}} --project={{shell .Project}} \
  --member={{shell (printf "serviceAccount:%s" .Scheduler)}} --role=roles/run.invoker

URI={{shell (printf "https://run.googleapis.com/v2/projects/%s/locations/%s/jobs/%s-sync:run" .Project .Region .Name)}}
{{include "part-schedule" .}}

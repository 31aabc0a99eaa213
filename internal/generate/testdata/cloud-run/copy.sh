#!/bin/sh
# Made by "transship generate cloud-run". Running that again replaces
# this file, so changes belong into files of your own: to keep one that was made
# here, remove this comment.
#
# Upload the plan, and run the copy. Again, at any time: only what is missing is
# copied. Before it: setup.sh and aws.sh once; "transship plan" and "transship
# provision" for this plan. After it: "transship verify", here, which asks both
# sides afresh what arrived.
set -eu
PLAN=${1:-transship/plan.json}
gcloud storage cp "$PLAN" 'gs://my-migration/transship/plan.json'
gcloud storage cp "$(dirname "$0")/transship.yaml" 'gs://my-migration/transship/transship.yaml'
gcloud run jobs replace "$(dirname "$0")/copy.yaml" --region='us-east4' --project='my-gcp-project'
gcloud run jobs execute 'transship-copy' --region='us-east4' --project='my-gcp-project' --wait

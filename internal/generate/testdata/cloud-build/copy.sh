#!/bin/sh
# Made by "transship generate cloud-build". Running that again replaces
# this file, so changes belong into files of your own: to keep one that was made
# here, remove this comment.
#
# Upload the plan, and run the copy. Again, at any time: only what is missing is
# copied. Before it: setup.sh and aws.sh once; "transship plan" and "transship
# provision" for this plan.
set -eu
PLAN=${1:-transship/plan.json}
gcloud storage cp "$PLAN" 'gs://my-migration/transship/plan.json'
gcloud storage cp "$(dirname "$0")/transship.yaml" 'gs://my-migration/transship/transship.yaml'
gcloud builds submit --no-source --config="$(dirname "$0")/copy.yaml" --region='us-east4' --project='my-gcp-project'

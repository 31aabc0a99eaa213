#!/bin/sh
# Made by "transship generate cloud-run". Running that again replaces
# this file, so changes belong into files of your own: to keep one that was made
# here, remove this comment.
#
# Have Cloud Scheduler start the sync. Before it: setup.sh, aws.sh and copy.sh.
# To end it: gcloud scheduler jobs delete transship-sync --location=us-east4
set -eu
LOCATION='us-east4'
gcloud storage cp "$(dirname "$0")/transship.yaml" 'gs://my-migration/transship/transship.yaml'
gcloud run jobs replace "$(dirname "$0")/sync.yaml" --region='us-east4' --project='my-gcp-project'

# Who starts it: a service account that may do that and nothing else.
gcloud services enable cloudscheduler.googleapis.com --project='my-gcp-project'
gcloud iam service-accounts describe 'transship-scheduler@my-gcp-project.iam.gserviceaccount.com' --project='my-gcp-project' >/dev/null 2>&1 ||
  gcloud iam service-accounts create transship-scheduler --project='my-gcp-project' --display-name='Starts the sync of Transship'
gcloud run jobs add-iam-policy-binding 'transship-sync' --region='us-east4' --project='my-gcp-project' \
  --member='serviceAccount:transship-scheduler@my-gcp-project.iam.gserviceaccount.com' --role=roles/run.invoker

URI='https://run.googleapis.com/v2/projects/my-gcp-project/locations/us-east4/jobs/transship-sync:run'
# When. Cloud Scheduler only starts it, and hears nothing of how it ends.
gcloud scheduler jobs delete 'transship-sync' --location="$LOCATION" --project='my-gcp-project' --quiet 2>/dev/null || true
gcloud scheduler jobs create http 'transship-sync' --location="$LOCATION" --project='my-gcp-project' \
  --schedule='*/15 * * * *' --time-zone=Etc/UTC --http-method=POST \
  --uri="$URI" \
  --oauth-service-account-email='transship-scheduler@my-gcp-project.iam.gserviceaccount.com'

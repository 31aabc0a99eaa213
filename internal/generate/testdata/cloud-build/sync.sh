#!/bin/sh
# Made by "transship generate cloud-build". Running that again replaces
# this file, so changes belong into files of your own: to keep one that was made
# here, remove this comment.
#
# Make a trigger of the sync, and have Cloud Scheduler pull it. Before it:
# setup.sh, aws.sh and copy.sh. To end it:
#   gcloud scheduler jobs delete transship-sync --location=LOCATION
#   gcloud builds triggers delete transship-sync --region=us-east4
set -eu
# Where Cloud Scheduler runs.
LOCATION=${1:-us-east4}
gcloud storage cp "$(dirname "$0")/transship.yaml" 'gs://my-migration/transship/transship.yaml'
# Only manual triggers can be scheduled, and a trigger is replaced as a whole.
gcloud builds triggers delete 'transship-sync' --region='us-east4' --project='my-gcp-project' --quiet 2>/dev/null || true
gcloud builds triggers create manual --name='transship-sync' --region='us-east4' --project='my-gcp-project' \
  --inline-config="$(dirname "$0")/sync.yaml" \
  --service-account='projects/my-gcp-project/serviceAccounts/transship@my-gcp-project.iam.gserviceaccount.com'

# Who starts it: a service account that may do that and nothing else.
gcloud services enable cloudscheduler.googleapis.com --project='my-gcp-project'
gcloud iam service-accounts describe 'transship-scheduler@my-gcp-project.iam.gserviceaccount.com' --project='my-gcp-project' >/dev/null 2>&1 ||
  gcloud iam service-accounts create transship-scheduler --project='my-gcp-project' --display-name='Starts the sync of Transship'
# To pull a trigger, it must be able to start builds, and to act as their account.
gcloud projects add-iam-policy-binding 'my-gcp-project' --member='serviceAccount:transship-scheduler@my-gcp-project.iam.gserviceaccount.com' \
  --role=roles/cloudbuild.builds.editor --condition=None
gcloud iam service-accounts add-iam-policy-binding 'transship@my-gcp-project.iam.gserviceaccount.com' --project='my-gcp-project' \
  --member='serviceAccount:transship-scheduler@my-gcp-project.iam.gserviceaccount.com' --role=roles/iam.serviceAccountUser

URI='https://cloudbuild.googleapis.com/v1/projects/my-gcp-project/locations/us-east4/triggers/transship-sync:run'
# When. Cloud Scheduler only starts it, and hears nothing of how it ends.
gcloud scheduler jobs delete 'transship-sync' --location="$LOCATION" --project='my-gcp-project' --quiet 2>/dev/null || true
gcloud scheduler jobs create http 'transship-sync' --location="$LOCATION" --project='my-gcp-project' \
  --schedule='*/15 * * * *' --time-zone=Etc/UTC --http-method=POST \
  --uri="$URI" \
  --oauth-service-account-email='transship-scheduler@my-gcp-project.iam.gserviceaccount.com' \
  --headers=Content-Type=application/json --message-body='{}'

#!/bin/sh
# Made by "transship generate cloud-run". Running that again replaces
# this file, so changes belong into files of your own: to keep one that was made
# here, remove this comment.
#
# What the jobs need in Google Cloud. Run it once, signed in as an owner of the
# projects; running it again does no harm. Before it: "transship provision". After
# it: aws.sh.
set -eu
gcloud services enable run.googleapis.com --project='my-gcp-project'

# Who writes to Artifact Registry: a service account, without keys.
gcloud services enable artifactregistry.googleapis.com iamcredentials.googleapis.com --project='my-gcp-project'
gcloud iam service-accounts describe 'transship@my-gcp-project.iam.gserviceaccount.com' --project='my-gcp-project' >/dev/null 2>&1 ||
  gcloud iam service-accounts create transship --project='my-gcp-project' --display-name=Transship

# It reads and writes images, in these repositories alone. They must exist: run
# "transship provision" first.
gcloud artifacts repositories add-iam-policy-binding 'app-images' --location='us' --project='my-gcp-project' \
  --member='serviceAccount:transship@my-gcp-project.iam.gserviceaccount.com' --role=roles/artifactregistry.writer

# The sync creates repositories for what is new in ECR: what it may do of that is
# a role of its own. Leave this out where new repositories are for you to make.
gcloud iam roles describe transshipProvisioner --project='my-gcp-project' >/dev/null 2>&1 ||
  gcloud iam roles create transshipProvisioner --project='my-gcp-project' --title='Transship provisioner' \
    --permissions=artifactregistry.repositories.create,artifactregistry.repositories.get,artifactregistry.repositories.list,artifactregistry.repositories.update
gcloud projects add-iam-policy-binding 'my-gcp-project' --member='serviceAccount:transship@my-gcp-project.iam.gserviceaccount.com' \
  --role='projects/my-gcp-project/roles/transshipProvisioner' --condition=None

# The bucket that the plan reaches the workers in. The service account may read
# it, and nothing else; nobody from outside may.
gcloud storage buckets describe 'gs://my-migration' >/dev/null 2>&1 ||
  gcloud storage buckets create 'gs://my-migration' --project='my-gcp-project' \
    --location='us-east4' --uniform-bucket-level-access --public-access-prevention
gcloud storage buckets add-iam-policy-binding 'gs://my-migration' \
  --member='serviceAccount:transship@my-gcp-project.iam.gserviceaccount.com' --role=roles/storage.objectViewer

#!/bin/sh
{{header}}
#
# What the builds need in Google Cloud. Run it once, signed in as an owner of the
# projects; running it again does no harm. Before it: "transship provision". After
# it: aws.sh.
set -eu
gcloud services enable cloudbuild.googleapis.com --project={{shell .Project}}

{{include "part-google" .}}

# It writes its logs, and gets ID tokens of itself, for AWS: in a build, unlike
# elsewhere, that is a permission.
gcloud projects add-iam-policy-binding {{shell .Project}} --member={{shell (printf "serviceAccount:%s" .Account)}} \
  --role=roles/logging.logWriter --condition=None
gcloud iam service-accounts add-iam-policy-binding {{shell .Account}} --project={{shell .Project}} \
  --member={{shell (printf "serviceAccount:%s" .Account)}} --role=roles/iam.serviceAccountOpenIdTokenCreator

{{include "part-bucket" .}}

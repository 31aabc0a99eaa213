#!/bin/sh
# Made by "transship generate kubernetes". Running that again replaces
# this file, so changes belong into files of your own: to keep one that was made
# here, remove this comment.
#
# What the pods need in Google Cloud, and the bucket in AWS. Run it once, signed in as an
# owner of the projects; running it again does no harm. Before it: "transship
# provision". Before it, too: aws.sh.
set -eu

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

# The pods' role in AWS acts as it: Google takes AWS's word for who they are.
# The pool is of this account and this role alone.
gcloud services enable sts.googleapis.com --project='my-gcp-project'
gcloud iam workload-identity-pools describe transship --location=global --project='my-gcp-project' >/dev/null 2>&1 ||
  gcloud iam workload-identity-pools create transship --location=global --project='my-gcp-project' --display-name=Transship
gcloud iam workload-identity-pools providers describe aws --location=global --project='my-gcp-project' \
  --workload-identity-pool=transship >/dev/null 2>&1 ||
  gcloud iam workload-identity-pools providers create-aws aws --location=global --project='my-gcp-project' \
    --workload-identity-pool=transship --account-id=123456789012 \
    --attribute-condition="attribute.aws_role == 'arn:aws:sts::123456789012:assumed-role/transship'"
NUMBER=$(gcloud projects describe 'my-gcp-project' --format='value(projectNumber)')
gcloud iam service-accounts add-iam-policy-binding 'transship@my-gcp-project.iam.gserviceaccount.com' --project='my-gcp-project' \
  --role=roles/iam.workloadIdentityUser \
  --member="principalSet://iam.googleapis.com/projects/$NUMBER/locations/global/workloadIdentityPools/transship/attribute.aws_role/arn:aws:sts::123456789012:assumed-role/transship"

# The bucket that the plan reaches the workers in: the pods' role may read it.
aws s3api head-bucket --bucket 'my-migration' 2>/dev/null || {
  aws s3 mb 's3://my-migration' --region us-east-1
  aws s3api put-public-access-block --bucket 'my-migration' --public-access-block-configuration \
    BlockPublicAcls=true,IgnorePublicAcls=true,BlockPublicPolicy=true,RestrictPublicBuckets=true
}

# The cluster must have the add-on aws-mountpoint-s3-csi-driver, and an OIDC
# provider in IAM (eksctl utils associate-iam-oidc-provider --approve).
sed "s/PROJECT_NUMBER/$NUMBER/" "$(dirname "$0")/common.yaml" | kubectl apply -f -

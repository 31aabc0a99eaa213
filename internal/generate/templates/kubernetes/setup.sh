#!/bin/sh
{{header}}
#
# What the pods need in Google Cloud{{if eq .Platform "eks"}}, and the bucket in AWS{{end}}. Run it once, signed in as an
# owner of the projects; running it again does no harm. Before it: "transship
# provision". {{if eq .Platform "eks"}}Before it, too: aws.sh.{{else}}After it: aws.sh.{{end}}
set -eu

{{include "part-google" .}}
{{- if eq .Platform "gke"}}

# The pods' service account in Kubernetes acts as it. The cluster must have
# Workload Identity Federation, and the add-on GcsFuseCsiDriver.
gcloud iam service-accounts add-iam-policy-binding {{shell .Account}} --project={{shell .Project}} \
  --role=roles/iam.workloadIdentityUser \
  --member={{shell (printf "serviceAccount:%s.svc.id.goog[%s/transship]" .Project .Namespace)}}

{{include "part-bucket" .}}

kubectl apply -f "$(dirname "$0")/common.yaml"
{{- else}}

# The pods' role in AWS acts as it: Google takes AWS's word for who they are.
# The pool is of this account and this role alone.
gcloud services enable sts.googleapis.com --project={{shell .Project}}
gcloud iam workload-identity-pools describe transship --location=global --project={{shell .Project}} >/dev/null 2>&1 ||
  gcloud iam workload-identity-pools create transship --location=global --project={{shell .Project}} --display-name=Transship
gcloud iam workload-identity-pools providers describe aws --location=global --project={{shell .Project}} \
  --workload-identity-pool=transship >/dev/null 2>&1 ||
  gcloud iam workload-identity-pools providers create-aws aws --location=global --project={{shell .Project}} \
    --workload-identity-pool=transship --account-id={{.Home}} \
    --attribute-condition="attribute.aws_role == 'arn:{{.Partition}}:sts::{{.Home}}:assumed-role/transship'"
NUMBER=$(gcloud projects describe {{shell .Project}} --format='value(projectNumber)')
gcloud iam service-accounts add-iam-policy-binding {{shell .Account}} --project={{shell .Project}} \
  --role=roles/iam.workloadIdentityUser \
  --member="principalSet://iam.googleapis.com/projects/$NUMBER/locations/global/workloadIdentityPools/transship/attribute.aws_role/arn:{{.Partition}}:sts::{{.Home}}:assumed-role/transship"

# The bucket that the plan reaches the workers in: the pods' role may read it.
aws s3api head-bucket --bucket {{shell .Bucket}} 2>/dev/null || {
  aws s3 mb {{shell (printf "s3://%s" .Bucket)}} --region {{.AWSRegion}}
  aws s3api put-public-access-block --bucket {{shell .Bucket}} --public-access-block-configuration \
    BlockPublicAcls=true,IgnorePublicAcls=true,BlockPublicPolicy=true,RestrictPublicBuckets=true
}

# The cluster must have the add-on aws-mountpoint-s3-csi-driver, and an OIDC
# provider in IAM (eksctl utils associate-iam-oidc-provider --approve).
sed "s/PROJECT_NUMBER/$NUMBER/" "$(dirname "$0")/common.yaml" | kubectl apply -f -
{{- end}}

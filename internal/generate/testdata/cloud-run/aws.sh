#!/bin/sh
# Made by "transship generate cloud-run". Running that again replaces
# this file, so changes belong into files of your own: to keep one that was made
# here, remove this comment.
#
# The roles in AWS by which ECR is read, and which nobody has keys for. Run it
# once for each account (123456789012, 210987654321), signed in there as somebody who
# may create roles.
# gcloud must be signed in, too.
set -eu
# AWS knows a Google service account by its number.
SUBJECT=$(gcloud iam service-accounts describe 'transship@my-gcp-project.iam.gserviceaccount.com' --format='value(uniqueId)')

# role NAME PATH TRUST POLICY: create the role, and give it this policy. What a
# role that exists trusts is not touched.
role() {
  if aws iam get-role --role-name "$1" >/dev/null 2>&1; then
    printf 'role %s exists: see that its trust policy has this statement:\n%s\n' "$1" "$3"
  else
    aws iam create-role --role-name "$1" --path "$2" --assume-role-policy-document "$3" >/dev/null
  fi
  aws iam put-role-policy --role-name "$1" --policy-name transship --policy-document "$4"
  echo "role $1 may read ECR"
}

account=$(aws sts get-caller-identity --query Account --output text)
case $account in
123456789012)
  trust=$(
    sed "s|NUMERIC_ID_OF_THE_SERVICE_ACCOUNT|$SUBJECT|" <<'EOF'
{
  "Version": "2012-10-17",
  "Statement": [
    {
      "Sid": "TransshipAssume",
      "Effect": "Allow",
      "Principal": {
        "Federated": "accounts.google.com"
      },
      "Action": [
        "sts:AssumeRoleWithWebIdentity"
      ],
      "Condition": {
        "StringEquals": {
          "accounts.google.com:oaud": "arn:aws:iam::123456789012:role/transship-reader",
          "accounts.google.com:sub": "NUMERIC_ID_OF_THE_SERVICE_ACCOUNT"
        }
      }
    }
  ]
}
EOF
  )
  policy=$(
    cat <<'EOF'
{
  "Version": "2012-10-17",
  "Statement": [
    {
      "Sid": "TransshipRegistry",
      "Effect": "Allow",
      "Action": [
        "ecr:GetAuthorizationToken",
        "ecr:DescribePullThroughCacheRules",
        "ecr:GetRegistryPolicy",
        "ecr:GetRegistryScanningConfiguration",
        "ecr:ListPullTimeUpdateExclusions"
      ],
      "Resource": [
        "*"
      ]
    },
    {
      "Sid": "TransshipList",
      "Effect": "Allow",
      "Action": [
        "ecr:DescribeRepositories"
      ],
      "Resource": [
        "arn:aws:ecr:us-east-1:123456789012:repository/*"
      ]
    },
    {
      "Sid": "TransshipRead",
      "Effect": "Allow",
      "Action": [
        "ecr:DescribeImages",
        "ecr:BatchGetImage",
        "ecr:GetDownloadUrlForLayer",
        "ecr:BatchCheckLayerAvailability",
        "ecr:GetLifecyclePolicy",
        "ecr:GetRepositoryPolicy",
        "ecr:ListTagsForResource"
      ],
      "Resource": [
        "arn:aws:ecr:us-east-1:123456789012:repository/*"
      ]
    }
  ]
}
EOF
  )
  role 'transship-reader' '/' "$trust" "$policy"
  ;;
210987654321)
  trust=$(
    sed "s|NUMERIC_ID_OF_THE_SERVICE_ACCOUNT|$SUBJECT|" <<'EOF'
{
  "Version": "2012-10-17",
  "Statement": [
    {
      "Sid": "TransshipAssume",
      "Effect": "Allow",
      "Principal": {
        "Federated": "accounts.google.com"
      },
      "Action": [
        "sts:AssumeRoleWithWebIdentity"
      ],
      "Condition": {
        "StringEquals": {
          "accounts.google.com:oaud": "arn:aws:iam::210987654321:role/teams/migration-reader",
          "accounts.google.com:sub": "NUMERIC_ID_OF_THE_SERVICE_ACCOUNT"
        }
      }
    }
  ]
}
EOF
  )
  policy=$(
    cat <<'EOF'
{
  "Version": "2012-10-17",
  "Statement": [
    {
      "Sid": "TransshipRegistry",
      "Effect": "Allow",
      "Action": [
        "ecr:GetAuthorizationToken",
        "ecr:DescribePullThroughCacheRules",
        "ecr:GetRegistryPolicy",
        "ecr:GetRegistryScanningConfiguration",
        "ecr:ListPullTimeUpdateExclusions"
      ],
      "Resource": [
        "*"
      ]
    },
    {
      "Sid": "TransshipList",
      "Effect": "Allow",
      "Action": [
        "ecr:DescribeRepositories"
      ],
      "Resource": [
        "arn:aws:ecr:eu-west-1:210987654321:repository/*"
      ]
    },
    {
      "Sid": "TransshipRead",
      "Effect": "Allow",
      "Action": [
        "ecr:DescribeImages",
        "ecr:BatchGetImage",
        "ecr:GetDownloadUrlForLayer",
        "ecr:BatchCheckLayerAvailability",
        "ecr:GetLifecyclePolicy",
        "ecr:GetRepositoryPolicy",
        "ecr:ListTagsForResource"
      ],
      "Resource": [
        "arn:aws:ecr:eu-west-1:210987654321:repository/*"
      ]
    }
  ]
}
EOF
  )
  role 'migration-reader' '/teams/' "$trust" "$policy"
  ;;
*)
  echo "account $account has no part in this migration: sign in to one of 123456789012 210987654321" >&2
  exit 1
  ;;
esac

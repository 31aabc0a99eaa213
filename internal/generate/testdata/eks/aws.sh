#!/bin/sh
# Made by "transship generate kubernetes". Running that again replaces
# this file, so changes belong into files of your own: to keep one that was made
# here, remove this comment.
#
# The roles in AWS by which ECR is read, and which nobody has keys for. Run it
# once for each account (123456789012, 210987654321), signed in there as somebody who
# may create roles.
# Begin with 123456789012: the other roles name its role. Pass the cluster's name,
# and its region where it is not the default one.
set -eu
CLUSTER=${1:?usage: ./aws.sh CLUSTER [REGION]}
OIDC_PROVIDER=$(aws eks describe-cluster --name "$CLUSTER" --region "${2:-us-east-1}" \
  --query cluster.identity.oidc.issuer --output text | sed 's|^https://||')

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
    sed "s|OIDC_PROVIDER|$OIDC_PROVIDER|" <<'EOF'
{
  "Version": "2012-10-17",
  "Statement": [
    {
      "Sid": "TransshipPods",
      "Effect": "Allow",
      "Principal": {
        "Federated": "arn:aws:iam::123456789012:oidc-provider/OIDC_PROVIDER"
      },
      "Action": [
        "sts:AssumeRoleWithWebIdentity"
      ],
      "Condition": {
        "StringEquals": {
          "OIDC_PROVIDER:aud": "sts.amazonaws.com",
          "OIDC_PROVIDER:sub": "system:serviceaccount:transship:transship"
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
      "Sid": "TransshipRegistry1",
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
      "Sid": "TransshipList2",
      "Effect": "Allow",
      "Action": [
        "ecr:DescribeRepositories"
      ],
      "Resource": [
        "arn:aws:ecr:us-east-1:123456789012:repository/*"
      ]
    },
    {
      "Sid": "TransshipRead3",
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
    },
    {
      "Sid": "TransshipAssume4",
      "Effect": "Allow",
      "Action": [
        "sts:AssumeRole"
      ],
      "Resource": [
        "arn:aws:iam::210987654321:role/teams/migration-reader"
      ]
    },
    {
      "Sid": "TransshipPlan5",
      "Effect": "Allow",
      "Action": [
        "s3:ListBucket"
      ],
      "Resource": [
        "arn:aws:s3:::my-migration"
      ]
    },
    {
      "Sid": "TransshipPlanFiles6",
      "Effect": "Allow",
      "Action": [
        "s3:GetObject"
      ],
      "Resource": [
        "arn:aws:s3:::my-migration/*"
      ]
    }
  ]
}
EOF
  )
  role 'transship' '/' "$trust" "$policy"
  ;;
210987654321)
  trust=$(
    sed "s|OIDC_PROVIDER|$OIDC_PROVIDER|" <<'EOF'
{
  "Version": "2012-10-17",
  "Statement": [
    {
      "Sid": "TransshipAssume",
      "Effect": "Allow",
      "Principal": {
        "AWS": "arn:aws:iam::123456789012:role/transship"
      },
      "Action": [
        "sts:AssumeRole"
      ],
      "Condition": {
        "StringEquals": {
          "sts:ExternalId": "my-external-id"
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

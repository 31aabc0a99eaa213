#!/bin/sh
{{header}}
#
# Upload the plan, and run the copy. Again, at any time: only what is missing is
# copied. Before it: setup.sh and aws.sh once; "transship plan" and "transship
# provision" for this plan.
set -eu
{{include "part-upload" .}}
gcloud builds submit --no-source --config="$(dirname "$0")/copy.yaml" --region={{shell .Region}} --project={{shell .Project}}

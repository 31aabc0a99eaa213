#!/bin/sh
{{header}}
#
# Upload the plan, and run the copy. Again, at any time: only what is missing is
# copied. Before it: setup.sh and aws.sh once; "transship plan" and "transship
# provision" for this plan. After it: "transship verify", here, which asks both
# sides afresh what arrived.
set -eu
{{include "part-upload" .}}
gcloud run jobs replace "$(dirname "$0")/copy.yaml" --region={{shell .Region}} --project={{shell .Project}}
gcloud run jobs execute {{shell (printf "%s-copy" .Name)}} --region={{shell .Region}} --project={{shell .Project}} --wait

#!/bin/sh
{{header}}
#
# What the jobs need in Google Cloud. Run it once, signed in as an owner of the
# projects; running it again does no harm. Before it: "transship provision". After
# it: aws.sh.
set -eu
gcloud services enable run.googleapis.com --project={{shell .Project}}

{{include "part-google" .}}

{{include "part-bucket" .}}

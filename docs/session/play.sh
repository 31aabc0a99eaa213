#!/usr/bin/env bash
# The session that ./record records: real commands, typed at the pace of a person, against the embedded clouds.
set -u
export COLUMNS=80 # where the output goes through a pipe

say() { printf '\033[2m# %s\033[0m\n' "$1"; sleep 1; }

# run COMMAND: types it and runs it.
run() {
  printf '\033[1m$\033[0m '
  local i
  for ((i = 0; i < ${#1}; i++)); do
    printf '%s' "${1:i:1}"
    sleep 0.03
  done
  printf '\n'
  bash -c "$1" 2>&1
  sleep "${2:-2}"
  printf '\n'
}

say "26 repositories in ECR, and manifests that pull from there"
run 'transship plan --from 123456789012.dkr.ecr.us-east-1.amazonaws.com \
    --to us-docker.pkg.dev/my-gcp-project/app-images | tail -4' 3
run 'transship provision --yes | tail -2'
run 'transship copy' 3
say "Once more: what is there is known"
run 'transship copy' 2
say "A fresh look at both sides, which believes neither the plan nor the copy"
run 'transship verify | head -5' 3
run 'transship rewrite deploy/ --write | tail -12' 4
run 'transship status' 4
say "Is it safe to switch?"
run 'transship cutover deploy/' 5
say "For whoever signs it off"
run 'transship report' 4

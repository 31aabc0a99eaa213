#!/bin/sh
# What deletes from ECR what is proved to be in Artifact Registry. Written by
# "transship cutover --leave" at 2026-11-27 12:00 UTC; Transship itself deletes nothing
# at the source, and never runs this.
#
# 4 image of 2 repository: each was at the target with the same digest
# at that moment, and nobody had pulled or pushed it for 30 day.
# Not in here: 2 image; cutover.json says why.
#
# Read it, then:
#
#   sh leave.sh             shows what it would do
#   sh leave.sh --delete    does it; there is no way back
#
# It needs the aws command line with ecr:BatchDeleteImage and, for repositories
# that become empty, ecr:DeleteRepository. It can be run again: what is gone
# already is no error. After 2026-12-04 12:00 UTC it refuses: look anew.

set -eu

delete=
case "${1-}" in
"") ;;
--delete) delete=yes ;;
*)
	echo "usage: sh leave.sh [--delete]" >&2
	exit 2
	;;
esac
if [ "$(date -u +%s)" -gt 1796385600 ]; then
	echo "leave.sh is older than 7 day: run transship cutover --leave again" >&2
	exit 1
fi
failed=0

# images ACCOUNT REGION REPOSITORY DIGEST…: at most 100 at a time, as ECR takes
# them. Indexes come first, since ECR deletes no image that one lists.
images() {
	account=$1 region=$2 repository=$3
	shift 3
	if [ -z "$delete" ]; then
		echo "would delete $# images of $account.dkr.ecr.$region/$repository"
		return
	fi
	ids=
	for digest; do
		ids="$ids imageDigest=$digest"
	done
	# shellcheck disable=SC2086 # one word for each image
	kept=$(aws ecr batch-delete-image --registry-id "$account" --region "$region" --repository-name "$repository" --image-ids $ids \
		--query "failures[?failureCode!='ImageNotFound'].[imageId.imageDigest,failureCode]" --output text)
	echo "deleted of $account.dkr.ecr.$region/$repository: $# images, but for what follows"
	if [ -n "$kept" ] && [ "$kept" != None ]; then
		echo "$kept" >&2
		failed=1
	fi
}

# repository ACCOUNT REGION REPOSITORY: only where it is empty by then.
repository() {
	if [ -z "$delete" ]; then
		echo "would delete the repository $1.dkr.ecr.$2/$3, empty by then"
		return
	fi
	if aws ecr delete-repository --registry-id "$1" --region "$2" --repository-name "$3" >/dev/null; then
		echo "deleted the repository $1.dkr.ecr.$2/$3"
	else
		failed=1
	fi
}

# 123456789012.dkr.ecr.us-east-1.amazonaws.com/team/api: 3 image, 5242880 B as ECR counts
images '123456789012' 'us-east-1' 'team/api' \
	sha256:5feceb66ffc86f38d952786c6d696c79c2dbc239dd4e91b46729d73a27fb57e9
images '123456789012' 'us-east-1' 'team/api' \
	sha256:6b86b273ff34fce19d6b804eff5a3f5747ada4eaa22f1d49c01e52ddb7875b4b \
	sha256:d4735e3a265e16eee03f59718b9b5d03019c07d8b6c51f90da3a666eec13ab35
repository '123456789012' 'us-east-1' 'team/api'

# 123456789012.dkr.ecr.us-east-1.amazonaws.com/odd'; touch odd; ' touch odd: 1 image, 0 B as ECR counts
images '123456789012' 'us-east-1' 'odd'\''; touch odd; '\''
touch odd' \
	sha256:5feceb66ffc86f38d952786c6d696c79c2dbc239dd4e91b46729d73a27fb57e9

if [ "$failed" -ne 0 ]; then
	echo "not all of it was deleted: see above, and run it again" >&2
	exit 1
fi

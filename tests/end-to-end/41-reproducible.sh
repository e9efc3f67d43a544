#!/usr/bin/env bash
# One definition gives one image, digest and all, though the engine has forgotten everything in
# between and every file of the project has another time.
# shellcheck source-path=SCRIPTDIR source=support.bash
. "$(dirname "$0")/support.bash"
needs_daemon

rig=$repository/tests/rig/rig
base=$COGPACK_TEST_REGISTRY/base/python:3.11-slim
project=$work/language-detector
cp -R "$repository/examples/language-detector" "$project"
sed -i "s|docker.io/library/python:3.11-slim|$base|" "$project/plan.cpk"
# An engine of our own, because it is to forget everything.
trap '"$rig" spare-down; rm -rf --one-file-system "$work"' EXIT
DOCKER_HOST=unix://$("$rig" spare-up)
export DOCKER_HOST

digest_of() { # NAME
	find "$project" -exec touch -d "@$((1000000000 + RANDOM))" {} +
	SOURCE_DATE_EPOCH=0 builds "$1" "$project/plan.cpk" --tag "cogpack-test/same:$$" --metadata-file "$work/$1.json"
	python3 -c 'import json, sys; print(json.load(open(sys.argv[1]))["containerimage.digest"])' "$work/$1.json" >"$work/$1.digest"
}
digest_of first
docker image rm --force "cogpack-test/same:$$" >/dev/null
docker builder prune --all --force >/dev/null
docker system prune --all --force >/dev/null
matches 'the engine has forgotten everything' '^Build Cache +0 ' docker system df
digest_of second
matches 'the digest is one' '^sha256:[0-9a-f]{64}$' cat "$work/first.digest"
exits 'and the same both times' 0 cmp "$work/first.digest" "$work/second.digest"

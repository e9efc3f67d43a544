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

# Where no time is given, what stays in the engine is not packed anew for the sake of dates.
exits 'layers are dated where a time is given' 0 grep -q 'rewriting layers' "$(build_log second)"
builds undated "$project/plan.cpk" --tag "cogpack-test/same:$$"
exits 'and else are left as they were made' 1 grep -q 'rewriting layers' "$(build_log undated)"
prints 'nothing is run for that' '' steps_run undated

# A daemon notes in its history what it is asked to note.
noted() {
	"${COGPACK_TEST_BUILDCTL:?}" --addr "${DOCKER_HOST%.sock}-buildkit.sock" debug histories | grep -c '^COMPLETE' || true
}
prints 'no build is in the history' 0 noted
builds noted "$project/plan.cpk" --tag "cogpack-test/same:$$" --history
prints 'but the one that is to be' 1 noted

# Another time is another image, whose files of ours and whose history have that time.
SOURCE_DATE_EPOCH=1000000007 builds dated "$project/plan.cpk" --output "type=oci,dest=$work/dated.tar"
mkdir "$work/dated"
tar -C "$work/dated" -xf "$work/dated.tar"
cat >"$work/dated.py" <<'PYTHON'
import json, pathlib, sys, tarfile

layout = pathlib.Path(sys.argv[1])
blob = lambda digest: layout / "blobs" / digest.replace(":", "/")
[manifest] = json.loads((layout / "index.json").read_text())["manifests"]
manifest = json.loads(blob(manifest["digest"]).read_text())
config = json.loads(blob(manifest["config"]["digest"]).read_text())
said = "2001-09-09T01:46:47Z"
assert config["created"] == said, config["created"]
# The base's layers and their history stay as they are.
ours = [step["created"] == said for step in config["history"]]
assert any(ours) and not any(ours[: ours.index(True)]) and all(ours[ours.index(True) :]), config["history"]
made = sum(not step.get("empty_layer") for step in config["history"][ours.index(True) :])
times = set()
for layer in manifest["layers"][-made:]:
    with tarfile.open(blob(layer["digest"])) as layer:
        times |= {entry.mtime for entry in layer if entry.isfile()}
assert times == {1000000007}, times
PYTHON
exits 'an image has the time that is said' 0 python3 "$work/dated.py" "$work/dated"

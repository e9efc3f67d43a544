#!/usr/bin/env bash
# What the README asks a fresh machine to type, word by word, with its results in a directory of
# the test's own; but for what builds and finds the compiler, which tests/run has done.
# shellcheck source-path=SCRIPTDIR source=support.bash
. "$(dirname "$0")/support.bash"
needs_root_and_a_runtime

cogpackc=${COGPACK_TEST_BINARY:?tests/run builds it and says where it is}
export COGPACK_STORE=$work/store
unset COGPACK_DEBS COGPACK_APT

# The blocks of shell up to the first that needs a daemon.
sed '/^docker build/,$d' "$repository/README.md" | sed -n '/^```sh$/,/^```$/p' | grep -v '^```' |
	grep -v -e '^cargo build --release --bin cogpackc$' -e '^export PATH=' |
	sed "s|/tmp/|$work/|g" >"$work/commands"
mkdir "$work/bin"
ln -s "$cogpackc" "$work/bin/cogpackc"

# As somebody types them: what is no archive among the blobs ends nothing.
as_written() { (cd "$repository" && PATH=$work/bin:$PATH timeout 120 bash "$work/commands" >"$work/said"); }
as_written || true
exits 'the model answers, without a daemon' 0 grep -qx fr "$work/said"
exits 'the layers are shown' 0 grep -q ' src/serve.py$' "$work/said"
for layer in "$work"/detector/blobs/sha256/*; do tar -tzf "$layer" 2>/dev/null || true; done >"$work/detector.files"
exits 'the detector has its Python' 0 grep -qx 'usr/bin/python3' "$work/detector.files"
for result in detector/index.json model/index.json eject/Dockerfile; do
	exits "they leave $result" 0 test -s "$work/$result"
done

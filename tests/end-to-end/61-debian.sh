#!/usr/bin/env bash
# A model on Debian packages alone: no daemon and no registry, and nothing is run to make it.
# shellcheck source-path=SCRIPTDIR source=support.bash
. "$(dirname "$0")/support.bash"

cogpackc=${COGPACK_TEST_BINARY:?tests/run builds it and says where it is}
export COGPACK_STORE=$work/store
model=$work/greet
cp -r "$repository/tests/models/greet" "$model"

python3 -m venv "$work/tools"
exits 'pip installs uv' 0 "$work/tools/bin/pip" install --quiet --disable-pip-version-check uv==0.13.9
export PATH=$work/tools/bin:$PATH

# No engine and no registry: neither can be reached.
build() {
	DOCKER_HOST=unix:///nowhere/docker.sock \
		"$cogpackc" build "$model" --base debian --builder direct --output "type=layout,dest=$1" --progress quiet
}
exits 'a model without locks is built on packages alone' 0 build "$work/layout"
exits 'and locked by that' 0 "$cogpackc" lock "$model" --base debian --locked
exits 'and built again to the same bytes' 0 build "$work/again"
exits 'as they are' 0 diff -r "$work/layout" "$work/again"
refuses 'another Python is refused' project::base::debian sh -c \
	'sed -i s/3.11/3.12/ "$2/cog.yaml"; "$1" plan "$2" --base debian; code=$?; sed -i s/3.12/3.11/ "$2/cog.yaml"; exit $code' \
	sh "$cogpackc" "$model"

if [ "$(id -u)" = 0 ] && command -v crun >/dev/null; then
	prints 'it answers' 'good evening, Ada' \
		"$cogpackc" predict "$work/layout" -i name=Ada --store "$work/store" --progress quiet
fi

#!/usr/bin/env bash
# A model as a Dockerfile, for who has nothing else: each builder makes an image of it by the command of the
# README, which answers a real prediction and has the labels that the plan says, byte for byte.
# shellcheck source-path=SCRIPTDIR source=support.bash
. "$(dirname "$0")/support.bash"
needs_daemon

cogpackc=${COGPACK_TEST_BINARY:?tests/run builds it and says where it is}
PATH=$(dirname "${COGPACK_TEST_BUILDAH:?}"):$PATH
export COGPACK_STORE=$work/store

installs_uv

writes_catalogue "$work/catalogue.toml"
export COGPACK_CATALOGUE=$work/catalogue.toml
model=$work/mean
cp -r "$repository/tests/models/mean" "$model"
exits 'the model is locked' 0 "$cogpackc" lock "$model"
exits 'and planned' 0 "$cogpackc" plan "$model" -o json -O "$work/plan.json"
cat >"$work/labels.py" <<'END'
import json, sys
wanted = dict(json.load(open(sys.argv[1]))["export"]["labels"])
assert "\n" in wanted["run.cog.pip_freeze"], wanted
made = json.load(open(sys.argv[2]))[0]["Config"]["Labels"]
for name, value in wanted.items():
    assert made.get(name) == value, (name, value, made.get(name))
END

# answers NAME DIALECT-OPTION...
answers() {
	local name=$1 image=$COGPACK_TEST_REGISTRY/test/model-eject-$1:$$ eject=$work/eject-$1
	shift
	exits "the model compiles for $name" 0 "$cogpackc" "$model" -o dockerfile "$@" -O "$eject"
	builds_as_it_says "$image" "$model" "$eject"
	if [ "$name" = buildah ] || [ "$name" = buildah-newer ]; then
		exits 'the image goes to where the engine finds it' 0 buildah push --quiet "$image" "docker://$image"
		buildah rmi --force "$image" >/dev/null
		docker pull --quiet "$image" >/dev/null
	fi
	docker image inspect "$image" >"$work/image.json"
	exits 'the image has the labels of the plan' 0 python3 "$work/labels.py" "$work/plan.json" "$work/image.json"
	prints 'and answers' 3.0 "$cogpackc" predict "$image" --progress quiet --network "$COGPACK_TEST_NETWORK" \
		--json '{"numbers": [1, 2, 6]}'
	docker image rm --force "$image" >/dev/null
}
answers buildkit-older --dialect buildkit --syntax none
answers classic --dialect legacy
answers buildah --dialect buildah
(
	on_next_engine
	answers buildkit-newer --dialect buildkit
)
(
	PATH=$(dirname "${COGPACK_TEST_NEXT_BUILDAH:?}"):$PATH
	answers buildah-newer --dialect buildah
)
refuses 'on standard output there is no file beside' cpk::unsupported::beside "$cogpackc" "$model" -o dockerfile

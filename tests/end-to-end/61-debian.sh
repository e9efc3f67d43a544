#!/usr/bin/env bash
# A model on Debian packages alone: no daemon and no registry, and nothing is run to make it.
# shellcheck source-path=SCRIPTDIR source=support.bash
. "$(dirname "$0")/support.bash"

cogpackc=${COGPACK_TEST_BINARY:?tests/run builds it and says where it is}
export COGPACK_STORE=$work/store
model=$work/greet
cp -r "$repository/tests/models/greet" "$model"

installs_uv

# No engine and no registry: neither can be reached.
build() {
	DOCKER_HOST=unix:///nowhere/docker.sock \
		"$cogpackc" build "$model" --base debian --builder direct --output "type=layout,dest=$1" --progress quiet
}
exits 'a model without locks is built on packages alone' 0 build "$work/layout"
exits 'and locked by that' 0 "$cogpackc" lock "$model" --base debian --locked
exits 'and built again to the same bytes' 0 build "$work/again"
exits 'as they are' 0 diff -r "$work/layout" "$work/again"
mkdir "$work/old"
printf 'base = "debian"\npython = "3.8"\ncommand = ["python"]\n' >"$work/old/cogpack.toml"
refuses 'a Python that nobody has is refused' project::base::debian "$cogpackc" plan "$work/old"

prints 'nothing of it runs with a network' cpk sh -c '"$1" plan "$2" --base debian --no-network | head -c 3' sh "$cogpackc" "$model"
cp -r "$model" "$work/commands"
printf 'build: {python_version: "3.11", run: [make]}\nrun: "predict.py:Predictor"\n' >"$work/commands/cog.yaml"
rm "$work/commands/debs.cog.cpk"
exits 'a project with a command is locked' 0 "$cogpackc" lock "$work/commands" --base debian
refuses 'which may reach a network' cpk::build::network "$cogpackc" plan "$work/commands" --base debian --no-network

if [ "$(id -u)" = 0 ] && command -v crun >/dev/null; then
	prints 'it answers' 'good evening, Ada' \
		"$cogpackc" predict "$work/layout" -i name=Ada --store "$work/store" --progress quiet
	# Byte code is made by the image's own Python, the same each time.
	compiled() {
		"$cogpackc" build "$model" --base debian --user 1000:1000 --precompile --no-network --builder direct --no-cache \
			--output "type=$1,dest=$2" --progress quiet
	}
	exits 'byte code is made without a network' 0 compiled layout "$work/compiled"
	exits 'and made anew' 0 compiled layout "$work/compiled-again"
	exits 'it is the same' 0 diff -r "$work/compiled" "$work/compiled-again"
	exits 'it is there' 0 umoci unpack --image "$work/compiled:latest" "$work/unpacked"
	byte_code=$work/unpacked/rootfs/venv/lib/python3.11/site-packages/cog/__pycache__/__init__.cpython-311.pyc
	exits 'for all packages' 0 test -e "$byte_code"
	# The second word of such a file: 1 for a hash in place of a time, 2 for one that Python compares (PEP 552).
	prints 'by the hash of its source, which is compared' 3 sh -c 'od --address-radix=n --format=u4 --skip-bytes=4 --read-bytes=4 "$1" | tr -d " "' sh "$byte_code"
fi

# Nobody's program, on files that nobody can change.
if [ -n "${COGPACK_TEST_NETWORK:-}" ]; then
	image=cogpack-test/on-packages:$$
	exits 'the model is an image of an engine' 0 "$cogpackc" build "$model" --base debian --user 1000:1000 \
		--builder direct --tag "$image" --output "type=docker,dest=$work/image.tar" --progress quiet
	exits 'which takes it' 0 docker load --quiet --input "$work/image.tar"
	port=$(python3 -c 'import socket; s = socket.socket(); s.bind(("127.0.0.1", 0)); print(s.getsockname()[1])')
	container=$(docker run --detach --read-only --tmpfs /tmp --cap-drop ALL --network "$COGPACK_TEST_NETWORK" --env "PORT=$port" \
		--publish "127.0.0.1:$port:$port" "$image" 2>"$work/errors")
	for _ in $(seq 100); do
		curl --silent "http://127.0.0.1:$port/health-check" | grep -q '"status":"READY"' && break
		sleep 0.2
	done
	curl --silent --header 'content-type: application/json' --data '{"input": {"name": "Ada"}}' \
		"http://127.0.0.1:$port/predictions" >"$work/answer" || true
	prints 'it answers as nobody on a file system that is read only' 'good evening, Ada' \
		python3 -c 'import json, sys; print(json.load(open(sys.argv[1])).get("output"))' "$work/answer"
	prints 'by an init' 'tini 1000 ' docker exec "$container" /usr/bin/python3 -c \
		'import os; print(open("/proc/1/comm").read().strip(), os.stat("/proc/1").st_uid, "")'
	docker rm --force "$container" >/dev/null
	docker image rm --force "$image" >/dev/null
fi

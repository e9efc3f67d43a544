#!/usr/bin/env bash
# Builds without a daemon, as programs of their own: what Ctrl-C and a kill leave, and that others
# take the image.
# shellcheck source-path=SCRIPTDIR source=support.bash
. "$(dirname "$0")/support.bash"
needs_daemon

base=$COGPACK_TEST_LAYOUTS/python:3.11-slim
store=$work/store
mkdir "$work/project"

# plan SCRIPT: a plan that runs it.
plan() {
	cat >"$work/project/plan.cpk" <<END
cpk 1

image @python = "python"

stage %app from image @python {
  run "$1"
}

export from %app {
  cmd ["cat", "/said"]
}
END
}

# Builds the project. No function, because its process is sent signals.
direct=("${COGPACK_TEST_BINARY:?}" build "$work/project" --builder direct --layout "python=$base" --store "$store"
	--output "type=oci,dest=$work/app.tar" --tag "cogpack-test/direct:$$" --progress plain)

nothing_is_left() {
	exits "$1: no container runs" 1 pgrep -f "$2"
	exits "$1: nothing is mounted" 1 grep -F "$store" /proc/self/mounts
	exits "$1: no image was made" 1 test -e "$work/app.tar"
}

# stopped SIGNAL STATUS: a build that is stopped while its program runs.
stopped() {
	local marker=$RANDOM$RANDOM pid status=0 waited=0
	plan "echo begun-$marker; sleep 300; echo $marker"
	: >"$work/progress"
	"${direct[@]}" >"$work/progress" 2>&1 &
	pid=$!
	until grep -q "begun-$marker\$" "$work/progress"; do
		sleep 0.1
		waited=$((waited + 1))
		[ "$waited" -lt 600 ] || { cat "$work/progress"; exit 1; }
	done
	exits "$1: the program runs" 0 pgrep -f "sleep 300; echo $marker"
	kill "-$1" "$pid"
	wait "$pid" || status=$?
	prints "$1: the exit code" "$2" echo "$status"
	# After a kill it is others that clear up.
	for _ in $(seq 50); do
		pgrep -f "sleep 300; echo $marker" >/dev/null || break
		sleep 0.1
	done
	nothing_is_left "$1" "sleep 300; echo $marker"
}
stopped INT 130
stopped KILL 137

plan 'echo built without a daemon >/said'
exits 'the next build succeeds' 0 "${direct[@]}"
exits 'and leaves nothing of those before it' 1 grep -r . "$store/work"
mkdir "$work/layout"
tar -C "$work/layout" -xf "$work/app.tar"
exits 'skopeo takes the image' 0 skopeo inspect "oci:$work/layout"
exits 'the engine does' 0 docker load --input "$work/app.tar"
prints 'and runs it' 'built without a daemon' docker run --rm --network "$COGPACK_TEST_NETWORK" "cogpack-test/direct:$$"
docker image rm --force "cogpack-test/direct:$$" >/dev/null

# A base out of the registry, which no layout holds, and a program on it.
plan "python3 -c 'print(6 * 7)' >/said"
sed -i "s|^image @python = .*|image @python = \"$COGPACK_TEST_REGISTRY/base/python:3.11-slim\"|" "$work/project/plan.cpk"
pulled=("$COGPACK_TEST_BINARY" build "$work/project" --builder direct --store "$work/pulled" --tag "cogpack-test/direct:$$"
	--progress plain)
exits 'a base is pulled' 0 "${pulled[@]}" --output "type=oci,dest=$work/pulled.tar" --iidfile "$work/first"
exits 'and kept' 0 "${pulled[@]}" --output "type=oci,dest=$work/again.tar" --iidfile "$work/second"
prints 'for the same image' "$(cat "$work/first")" cat "$work/second"
exits 'the engine takes it' 0 docker load --input "$work/pulled.tar"
prints 'and runs it' 42 docker run --rm --network "$COGPACK_TEST_NETWORK" "cogpack-test/direct:$$"
docker image rm --force "cogpack-test/direct:$$" >/dev/null

# What is added to a variable of a base that is in a registry: nothing is known of it before it is pulled.
cat >"$work/added.cpk" <<END
cpk 1

image @python = "$COGPACK_TEST_REGISTRY/base/python:3.11-slim"

stage %app from image @python {
  env prepend PATH "/venv/bin"
}

export from %app
END
exits 'a variable of a base in a registry is added to' 0 "${COGPACK_TEST_BINARY:?}" build "$work/added.cpk" \
	--builder direct --store "$store" --output "type=layout,dest=$work/added" --progress quiet
prints 'and is the whole of it' '"PATH=/venv/bin:/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"' \
	sh -c "cat '$work'/added/blobs/sha256/* | grep --text --only-matching '\"PATH=/venv/bin[^\"]*\"' | sort --unique"

# The same base out of the engine, and out of an archive of it. Older engines keep neither the digest nor
# the packed layers, so the image is another one; the two ways to it must agree.
docker pull --quiet "$COGPACK_TEST_REGISTRY/base/python:3.11-slim" >/dev/null
docker save --output "$work/base.tar" "$COGPACK_TEST_REGISTRY/base/python:3.11-slim"
from=("${pulled[@]}" --output "type=oci,dest=$work/from.tar")
exits 'a base is taken out of the engine' 0 \
	"${from[@]}" --layout "python=docker-daemon:$COGPACK_TEST_REGISTRY/base/python:3.11-slim" --iidfile "$work/engine"
exits 'and out of an archive' 0 "${from[@]}" --layout "python=$work/base.tar" --iidfile "$work/archive"
prints 'which are the same' "$(cat "$work/engine")" cat "$work/archive"
exits 'the engine takes that, too' 0 docker load --input "$work/from.tar"
prints 'and runs it' 42 docker run --rm --network "$COGPACK_TEST_NETWORK" "cogpack-test/direct:$$"
docker image rm --force "cogpack-test/direct:$$" >/dev/null
exits 'what the engine does not have is told' 2 "${from[@]}" --layout 'python=docker-daemon:cogpack-test/none'

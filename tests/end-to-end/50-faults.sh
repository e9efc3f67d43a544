#!/usr/bin/env bash
# What goes wrong in the middle of a build gives one clear error, exit code 2 and nothing half
# written, and Ctrl-C leaves nothing running.
# shellcheck source-path=SCRIPTDIR source=support.bash
. "$(dirname "$0")/support.bash"
needs_daemon

cogpackc=${COGPACK_TEST_BINARY:?tests/run builds it and says where it is}
rig=$repository/tests/rig/rig
home=${COGPACK_RIG_HOME:-${TMPDIR:-/tmp}/cogpack-test-rig}
base=$COGPACK_TEST_REGISTRY/base/debian:bookworm-slim
mkdir "$work/big" "$work/small" "$work/full"
trap '"$rig" spare-down; umount "$work/full" 2>/dev/null || true; rm -rf --one-file-system "$work"' EXIT

# Nothing of it is stored here, but it is sent byte for byte.
truncate --size 4G "$work/big/zeros"
cat >"$work/big/plan.cpk" <<END
cpk 1

context @source = dir "." {
  include "zeros"
}

stage %app from scratch {
  copy "zeros" from @source to "/zeros"
}

export from %app
END

# running NAME SCRIPT: a plan that runs this on a base.
running() {
	cat >"$work/small/$1.cpk" <<-END
		cpk 1

		image @debian = "$base"

		stage %app from image @debian {
		  run "$2"
		}

		export from %app
	END
}
running plan 'head -c 60000000 /dev/urandom >/random'

# starts_build PLAN OPTION...: in the background, with its progress in $work/progress.
starts_build() {
	: >"$work/progress"
	setsid "$cogpackc" build "$@" --progress json >"$work/output" 2>"$work/progress" </dev/null &
	build=$!
}

# until_it_says PATTERN: waits for an event of that build.
until_it_says() {
	for _ in {1..600}; do
		if grep -qE "$1" "$work/progress"; then return; fi
		sleep 0.1
	done
	printf 'not ok - the build never said %s\n' "$1"
	cat "$work/progress"
	exit 1
}

# ends WHAT STATUS SECONDS: the build ends by itself within this time, with this status.
ends() {
	local what=$1 wanted=$2 deadline=$((SECONDS + $3)) status=0
	while kill -0 "$build" 2>/dev/null && [ "$SECONDS" -lt "$deadline" ]; do sleep 0.1; done
	kill -KILL "$build" 2>/dev/null || true
	wait "$build" || status=$?
	if [ "$status" != "$wanted" ]; then
		printf 'not ok - %s: status %s instead of %s\n' "$what" "$status" "$wanted"
		cat "$work/progress"
		exit 1
	fi
	printf 'ok - %s\n' "$what"
}

# left NAME: whether anything is left of that output, under whatever name.
left() { find "$work" -maxdepth 1 -name "*$1*" | grep .; }

# says_once PATTERN: what people read of the failure, beside the events, has one such line.
says_once() {
	grep -v '^{' "$work/progress" >"$work/said" || true
	if [ "$(grep -ciE -e "$1" "$work/said")" != 1 ]; then
		printf 'not ok - it says so once: %s\n' "$1"
		cat "$work/said"
		exit 1
	fi
	printf 'ok - it says so once: %s\n' "$(grep -iE -e "$1" "$work/said")"
}

spare=$("$rig" spare-up)
DOCKER_HOST=unix://$spare starts_build "$work/big/plan.cpk" --output "type=tar,dest=$work/dead.tar"
until_it_says '"event":"sent".*"bytes":[0-9]{8,}'
kill -KILL "$(cut -d' ' -f1 "$home/run/engine-spare.pid")"
ends 'a daemon that dies while it is sent a file ends the build' 2 30
says_once '^error'
exits 'and leaves no output' 1 left dead
"$rig" spare-down

socket=$work/proxy.sock
python3 "$repository/tests/rig/lib/plain_buildkit.py" "unix://$socket" "${DOCKER_HOST#unix://}" &
proxy=$!
for _ in {1..100}; do
	if [ -S "$socket" ]; then break; fi
	sleep 0.1
done
BUILDKIT_HOST=unix://$socket starts_build "$work/small/plan.cpk" --no-cache --output "type=tar,dest=$work/closed.tar"
until_it_says '"event":"started"'
kill -KILL "$proxy"
wait "$proxy" 2>/dev/null || true
ends 'a connection that is closed ends the build' 2 30
says_once '^error'
exits 'and leaves no output' 1 left closed

# A context that is not any more what the daemon was told. Four files are read at a time: while four
# large ones are sent, many small ones wait.
mkdir "$work/changing"
cat >"$work/changing/plan.cpk" <<'END'
cpk 1

context @source = dir "." {
  include "large-*"
  include "small"
}

stage %app from scratch {
  copy contents "." from @source to "/"
}

export from %app
END
small=("$work"/changing/small/{100..399})
shrinks() { truncate --size 1M "$work/changing/large-3"; }
is_rewritten() { printf 'other' | dd of="$work/changing/large-3" conv=notrunc status=none; }
is_replaced() { rm "${small[@]}" && mkfifo "${small[@]}"; }
vanishes() { rm -r "$work/changing/small"; }
# changes ENGINE CHANGE FILE WORDS: that change of a context, while it is sent, ends the build.
changes() {
	rm -rf "$work/changing/small" "$work"/changing/large-*
	mkdir "$work/changing/small"
	truncate --size 80M "$work"/changing/large-{1..4}
	printf '%s\n' "$RANDOM$RANDOM$RANDOM" | tee "${small[@]}" >/dev/null
	starts_build "$work/changing/plan.cpk" --output "type=tar,dest=$work/changed.tar"
	until_it_says '"event":"sent".*"bytes":[0-9]{7,}'
	"$2"
	ends "a file that $2 while it is sent to the $1 engine ends the build" 2 60
	says_once "\`$3\` of the directory \`source\` $4 while the directory was sent"
	says_once '^error'
	says_once '^hint: build again'
	exits 'and leaves no output' 1 left changed
}
context_changes() {
	changes "$1" shrinks large-3 shrank
	changes "$1" vanishes 'small/[0-9]+' vanished
}
on_each_engine context_changes
(
	on_next_engine
	changes newer is_rewritten large-3 'was written to'
	changes newer is_replaced 'small/[0-9]+' 'was replaced by something that is no file'
)
rm -rf "$work/changing"

exits 'nobody at the socket is an error at once' 2 env BUILDKIT_HOST="unix://$socket" "$cogpackc" build "$work/small/plan.cpk"

files_in() { find "$1" -type f | grep .; }
mount -t tmpfs -o size=16m tmpfs "$work/full"
disk_is_full() {
	local kind kinds=("type=tar,dest=$work/full/image.tar" "type=local,dest=$work/full/image")
	# The older engine's BuildKit has no more than these.
	if [ "$1" = newer ]; then
		kinds+=("type=oci,dest=$work/full/image.oci.tar" "type=docker,dest=$work/full/image.docker.tar" "type=layout,dest=$work/full/layout")
	fi
	for kind in "${kinds[@]}"; do
		starts_build "$work/small/plan.cpk" --output "$kind"
		ends "a full disk ends the export of ${kind%%,*} on the $1 engine" 2 90
		says_once 'no space left on device'
		exits 'and nothing is left of the image' 1 files_in "$work/full"
	done
}
on_each_engine disk_is_full
umount "$work/full"

marker=$((1000000 + RANDOM))
running sleep "sleep $marker; touch /woken"
runs() { pgrep -f "^sleep $marker" >/dev/null; }
gone() {
	for _ in {1..100}; do
		runs || return 0
		sleep 0.1
	done
	return 1
}
interrupted() {
	starts_build "$work/small/sleep.cpk" --output "type=tar,dest=$work/never.tar"
	until_it_says '"event":"started".*'
	for _ in {1..300}; do
		if runs; then break; fi
		sleep 0.1
	done
	exits "a program of the build runs on the $1 engine" 0 runs
	kill -INT "$build"
	ends "Ctrl-C ends the build on the $1 engine" 130 20
	exits 'and the program with it' 0 gone
	exits 'and leaves no output' 1 left never
}
on_each_engine interrupted

# The older engine pushes by itself, after the build: random bytes take it seconds to pack.
running push "head -c 200000000 /dev/urandom >/random; : $marker"
never=test/never-$marker
pushed() { curl --silent --fail "http://$COGPACK_TEST_REGISTRY/v2/$never/tags/list"; }
starts_build "$work/small/push.cpk" --tag "$COGPACK_TEST_REGISTRY/$never:1" --push
until_it_says '"event":"added".*"name":"pushing '
until_it_says '"event":"moved".*"item":"layers","bytes":[1-9]'
kill -INT "$build"
ends 'Ctrl-C ends a build whose image is pushed' 130 20
exits 'and nothing was pushed' 22 pushed
docker image rm --force "$COGPACK_TEST_REGISTRY/$never:1" >/dev/null

# stops PID: it and all of its threads stand still when this returns. A signal only asks for
# that: until some thread of a busy machine takes it, the others go on.
stops() {
	kill -STOP "$1"
	for _ in {1..100}; do
		if ! grep -hE '^State:' "/proc/$1/task/"*/status | grep -qvE 'T \(stopped\)'; then return; fi
		sleep 0.1
	done
	printf 'not ok - process %s does not stop\n' "$1"
	exit 1
}

# An engine on which nobody else builds: what it holds of a build is in use until that is over.
used() {
	curl --silent --fail --unix-socket "$spare" 'http://engine/system/df?type=build-cache' |
		python3 -c 'import json, sys; sys.exit(not any(one["InUse"] for one in json.load(sys.stdin)["BuildCache"]))'
}
unused() {
	for _ in {1..100}; do
		if ! used; then return 0; fi
		sleep 0.1
	done
	return 1
}
# Zeros cost nothing to make, and take seconds to send or to compress.
running zeros 'truncate -s 4G /zeros'
# cancels WHAT: Ctrl-C ends the build of the spare engine that was begun, in the middle of this.
cancels() {
	exits "the engine is busy $1" 0 used
	kill -INT "$build"
	ends "Ctrl-C ends the build $1" 130 20
	exits 'and all that the engine did for it' 0 unused
	exits 'and leaves nothing half written' 1 left never
	exits 'nor anything beside it' 1 left .cogpackc-
}
# is_writing: some of the output is there, aside of where it goes when it is whole.
is_writing() {
	for _ in {1..600}; do
		if find "$work" -path '*.cogpackc-aside-*' -type f -size +16M | grep -q .; then return; fi
		sleep 0.05
	done
	return 1
}
spare=$("$rig" spare-up)
(
	export DOCKER_HOST=unix://$spare
	starts_build "$work/big/plan.cpk" --output "type=tar,dest=$work/never.tar"
	until_it_says '"event":"sent".*"bytes":[0-9]{8,}'
	cancels 'while a context is sent'
	starts_build "$work/small/zeros.cpk" --output "type=oci,dest=$work/never"
	until_it_says 'exporting layers'
	cancels 'while layers are compressed'
	starts_build "$work/small/zeros.cpk" --output "type=tar,dest=$work/never"
	exits 'the engine sends an image' 0 is_writing
	cancels 'while it is received'
	starts_build "$work/small/zeros.cpk" --output "type=local,dest=$work/never"
	exits 'the engine sends files' 0 is_writing
	cancels 'while they are received'
)

# A daemon that does not answer any more, which only the second Ctrl-C gets away from.
(
	export DOCKER_HOST=unix://$spare
	starts_build "$work/big/plan.cpk" --output "type=tar,dest=$work/stopped.tar"
	until_it_says '"event":"sent".*"bytes":[0-9]{8,}'
	stops "$(cut -d' ' -f1 "$home/run/engine-spare.pid")"
	kill -INT "$build"
	# Two signals that come before the first is heard are one.
	until_it_says '^cancelling the build'
	sleep 1
	kill -INT "$build"
	ends 'a second Ctrl-C quits at once' 130 15
	# After the first alone it would say what became of the build.
	exits 'and says nothing of what it does not know' 1 grep -q '^cancelled' "$work/progress"
)
kill -CONT "$(cut -d' ' -f1 "$home/run/engine-spare.pid")"

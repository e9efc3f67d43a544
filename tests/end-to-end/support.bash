# What the end-to-end scripts share. Sourced, never run: only executable *.sh files are.
#
# A script ends with 0 when all its checks held, 77 when it was skipped, anything else
# when it failed. Its working directory is its own, and goes when it ends.

set -euo pipefail

# shellcheck disable=SC2034  # the scripts use it
repository=$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd)
work=$(mktemp -d "${TMPDIR:-/tmp}/cogpack-end-to-end.XXXXXX")
trap 'rm -rf --one-file-system "$work"' EXIT

# needs_daemon: ends the script as skipped where there is no engine and no registry.
needs_daemon() {
	if [ -n "${COGPACK_TEST_SKIP_DAEMON:-}" ]; then
		printf 'skipped: %s\n' "$COGPACK_TEST_SKIP_DAEMON"
		exit 77
	fi
	: "${DOCKER_HOST:?call this through tests/run, or eval the output of tests/rig/rig env first}"
	: "${COGPACK_TEST_REGISTRY:?}" "${COGPACK_TEST_LAYOUTS:?}" "${COGPACK_TEST_NEXT_HOST:?}"
}

# on_next_engine: everything after this speaks to the newer engine; call it in a subshell.
on_next_engine() {
	export DOCKER_HOST=$COGPACK_TEST_NEXT_HOST COGPACK_TEST_ENGINE=$COGPACK_TEST_NEXT_ENGINE
	export COGPACK_TEST_NETWORK=$COGPACK_TEST_NEXT_NETWORK COGPACK_TEST_BUILDKIT=$COGPACK_TEST_NEXT_BUILDKIT
}

# on_each_engine FUNCTION: calls it with the word `older`, and with `newer` on the newer engine.
on_each_engine() {
	"$1" older
	(
		on_next_engine
		"$1" newer
	)
}

# build_log NAME: where `builds` keeps the progress of a build, one JSON object a line.
build_log() { printf '%s/%s.progress' "$work" "$1"; }

# builds NAME PLAN OPTION...: `cogpackc build` of this plan succeeds; its progress is kept.
builds() {
	local name=$1 status=0
	shift
	"${COGPACK_TEST_BINARY:?tests/run builds it and says where it is}" build "$@" --progress json \
		>"$work/output" 2>"$(build_log "$name")" </dev/null || status=$?
	if [ "$status" != 0 ]; then
		printf 'not ok - the build %s: status %s from: cogpackc build %s\n' "$name" "$status" "$*"
		cat "$(build_log "$name")"
		exit 1
	fi
	printf 'ok - the build %s\n' "$name"
}

# steps_run NAME: the lines of the plan whose ops were run by that build, and not cached. What is
# sent or looked up anew each time, an input, is none.
steps_run() {
	python3 - "$(build_log "$1")" <<-'END'
		import json, sys
		# What is said about the plan stands between the events.
		events = [json.loads(line) for line in open(sys.argv[1]) if line.startswith("{")]
		steps = next(event for event in events if event["event"] == "planned")["steps"]
		over = {"finished": {event["step"] for event in events if event["event"] == "finished"}}
		lines = {step["line"] for number, step in enumerate(steps)
		         if step.get("place", "").startswith("%") and number in over["finished"]}
		print(*sorted(lines))
	END
}

# prints WHAT LINE COMMAND...: COMMAND must succeed, and print LINE as one of its lines.
prints() {
	local what=$1 line=$2
	shift 2
	output_has "$what" -xF "$line" "$@"
}

# matches WHAT PATTERN COMMAND...: COMMAND must succeed, and print something that the
# extended regular expression matches.
matches() {
	local what=$1 pattern=$2
	shift 2
	output_has "$what" -E "$pattern" "$@"
}

output_has() {
	local what=$1 kind=$2 text=$3
	shift 3
	if ! "$@" >"$work/output" 2>"$work/errors" </dev/null; then
		printf 'not ok - %s: this command failed: %s\n' "$what" "$*"
	elif ! grep -q "$kind" -e "$text" "$work/output"; then
		printf 'not ok - %s: %s is not in the output of: %s\n' "$what" "$text" "$*"
	else
		printf 'ok - %s\n' "$what"
		return
	fi
	cat "$work/output" "$work/errors"
	exit 1
}

# exits WHAT STATUS COMMAND...: COMMAND must end with exactly this status.
exits() {
	local what=$1 wanted=$2 status=0
	shift 2
	"$@" >"$work/output" 2>&1 </dev/null || status=$?
	if [ "$status" != "$wanted" ]; then
		printf 'not ok - %s: status %s instead of %s from: %s\n' "$what" "$status" "$wanted" "$*"
		cat "$work/output"
		exit 1
	fi
	printf 'ok - %s\n' "$what"
}

# refuses WHAT CODE COMMAND...: COMMAND must end with 1 and show the finding with this code; all that
# it says is in `$work/refused` afterwards.
refuses() {
	local what=$1 code=$2
	shift 2
	exits "$what" 1 "$@"
	mv "$work/output" "$work/refused"
	prints "$what, by the code" "$code" cat "$work/refused"
}

# serve DIRECTORY: serves its files over HTTP until the script ends; `$port` is where.
serve() {
	"$repository/tests/end-to-end/serve-files" "$1" >"$work/port" 2>"$work/requests" &
	server=$!
	trap 'kill "$server"; rm -rf --one-file-system "$work"' EXIT
	for _ in $(seq 300); do [ ! -s "$work/port" ] || break; sleep 0.1; done
	# shellcheck disable=SC2034  # the scripts use it
	port=$(cat "$work/port")
}

# removes_user NAME: removes an account that a script has made, as soon as its last process has ended.
removes_user() {
	for _ in $(seq 100); do
		! userdel "$1" 2>"$work/errors" || return 0
		sleep 0.1
	done
	cat "$work/errors"
	return 1
}

# files_of DIRECTORY: every path with its type and owner, the mode of what is no link, and what it holds.
files_of() {
	(
		cd "$1"
		find . -mindepth 1 \( -type l -printf '%P %y %U:%G %l\n' \) -o -printf '%P %y %U:%G %m\n'
		find . -type f -exec sha256sum {} +
	) | sort
}

# files_of_tar NAME: unpacks `$work/NAME.tar` beside it, and puts its files into `$work/NAME.files`.
files_of_tar() {
	mkdir "$work/$1"
	tar -C "$work/$1" -xpf "$work/$1.tar"
	files_of "$work/$1" >"$work/$1.files"
}

# builds_as_it_says IMAGE PROJECT EJECT: runs the command of the eject's README where the README
# says, with nothing added but a name for the image. The classic builder looks for its cache among all
# images of its engine, and fails where another script removes one meanwhile: it gets none. Two builds
# of it at once, or two of buildah, disturb each other as tests/support/tools.rs says: one waits.
builds_as_it_says() {
	local image=$1 place=$2 eject=$3 command named turn=()
	command=$(sed -n '/^```sh$/,/^```$/p' "$eject/README.md" | sed '1d;$d')
	if ! grep -q 'in the directory that the Dockerfile copies from' "$eject/README.md"; then place=$eject; fi
	named=${command/ build / build --tag=$image }
	if [ "$COGPACK_TEST_NETWORK" != default ]; then named=${named/ build / build --network=$COGPACK_TEST_NETWORK }; fi
	case $named in
	DOCKER_BUILDKIT=0*)
		named=${named/ build / build --no-cache }
		turn=(flock "${TMPDIR:-/tmp}/cogpack-tests-classic.lock")
		;;
	'buildah '*) turn=(flock "${TMPDIR:-/tmp}/cogpack-tests-buildah.lock") ;;
	esac
	exits "the README has a command: $command" 1 test "$named" = "$command"
	exits 'which builds' 0 "${turn[@]}" sh -c 'cd "$1" && eval "$2"' sh "$place" "$named"
}

# saves NAME IMAGE BUILDER: writes an image as `docker save` does to `$work/NAME.saved.tar`, out of the
# engine or out of buildah's store, where it is removed; unpacks that into `$work/NAME.saved`.
saves() {
	local name=$1 image=$2
	if [ "$3" = buildah ]; then
		buildah push --quiet "$image" "docker-archive:$work/$name.saved.tar"
		buildah rmi --force "$image" >/dev/null
	else
		docker save --output "$work/$name.saved.tar" "$image"
		docker image rm --force "$image" >/dev/null
	fi
	mkdir "$work/$name.saved"
	tar -C "$work/$name.saved" -xf "$work/$name.saved.tar"
	rm "$work/$name.saved.tar"
}

# layers_saved NAME: the layers of an image that `saves` has unpacked, the lowest first.
layers_saved() {
	python3 -c 'import json, sys; print(*json.load(open(sys.argv[1]))[0]["Layers"], sep="\n")' "$work/$1.saved/manifest.json" |
		sed "s|^|$work/$1.saved/|"
}

# files_saved NAME: puts the files of an image that `saves` has unpacked, and that takes nothing away
# from its lower layers, into `$work/NAME.files`.
files_saved() {
	local layer
	mkdir "$work/$1"
	while read -r layer; do tar -C "$work/$1" -xpf "$layer"; done < <(layers_saved "$1")
	files_of "$work/$1" >"$work/$1.files"
	rm -rf "${work:?}/$1" "$work/$1.saved"
}

# answers_predictions IMAGE: a container of the example model becomes ready and tells languages apart.
answers_predictions() {
	local image=$1 port container
	port=$(python3 -c 'import socket; s = socket.socket(); s.bind(("127.0.0.1", 0)); print(s.getsockname()[1])')
	container=$(docker run --detach --network "$COGPACK_TEST_NETWORK" --env "PORT=$port" \
		--publish "127.0.0.1:$port:$port" "$image" 2>"$work/errors")
	local url=http://127.0.0.1:$port
	prints "a container of $image becomes ready" '{"status": "READY"}' \
		curl --silent --fail --retry 30 --retry-delay 1 --retry-all-errors "$url/health-check"
	prints 'it answers a prediction' '{"status": "succeeded", "output": "fr"}' \
		curl --silent --fail --data '{"input": {"text": "Les enfants jouent dans le jardin"}}' "$url/predictions"
	docker rm --force "$container" >/dev/null
}

# shell_root DIRECTORY PROGRAM...: these programs of the machine, a shell among them or not, with all that
# they load: in `bin` what is to go to `/bin`, in `libraries` what is to go to `/`.
shell_root() {
	local root=$1 program path library
	shift
	mkdir -p "$root/bin"
	for program; do
		path=$(readlink -f "$(command -v "$program")")
		cp "$path" "$root/bin/$program"
		ldd "$path" | grep -o '/[^ ]*' | while read -r library; do
			mkdir -p "$root/libraries/$(dirname "$library")"
			cp -L "$library" "$root/libraries/$library"
		done
	done
}

# needs_root_and_a_runtime: ends the script as skipped where programs cannot be run without a daemon.
needs_root_and_a_runtime() {
	if [ "$(id -u)" != 0 ]; then
		echo 'skipped: this script makes users and filesystems, which takes root'
		exit 77
	fi
	if ! command -v crun >/dev/null && ! command -v runc >/dev/null; then
		echo 'skipped: there is no crun and no runc on PATH'
		exit 77
	fi
}

# installs_uv: on PATH from here on, told of the index that the machine names.
installs_uv() {
	python3 -m venv "$work/tools"
	exits 'pip installs uv' 0 "$work/tools/bin/pip" install --quiet --disable-pip-version-check uv==0.13.9
	export PATH=$work/tools/bin:$PATH
	# uv does not read what is said to pip.
	if [ -n "${PIP_INDEX_URL:-}" ]; then
		export UV_DEFAULT_INDEX=${UV_DEFAULT_INDEX:-$PIP_INDEX_URL}
	fi
}

# writes_catalogue FILE: the one base image with Python that there is here, as a user's own catalogue has it.
writes_catalogue() {
	cat >"$1" <<END
catalogue = 1

[[image]]
reference = "$COGPACK_TEST_REGISTRY/base/python:3.11-slim"
platforms = ["linux/amd64", "linux/arm64"]
roles = ["build", "runtime"]
extent = "runtime"
os = { id = "debian", version = "12", codename = "bookworm" }
python = { version = "3.11", interpreter = "/usr/bin/python3", prefix = "/usr" }
packages = { ca-certificates = "" }
END
}

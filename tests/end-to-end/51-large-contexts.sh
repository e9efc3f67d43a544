#!/usr/bin/env bash
# A context of 50,000 files and one of 3 GB: the client needs little memory for either, and sends
# nothing the second time.
# shellcheck source-path=SCRIPTDIR source=support.bash
. "$(dirname "$0")/support.bash"
needs_daemon

cogpackc=${COGPACK_TEST_BINARY:?tests/run builds it and says where it is}
rig=$repository/tests/rig/rig
# An engine of our own, so that all this goes away with it.
trap '"$rig" spare-down; rm -rf --one-file-system "$work"' EXIT
DOCKER_HOST=unix://$("$rig" spare-up)
export DOCKER_HOST

# plan DIRECTORY COUNT: the files are mounted, which costs the engine less than to copy them.
plan() {
	cat >"$1/plan.cpk" <<END
cpk 1

image @debian = "$COGPACK_TEST_REGISTRY/base/debian:bookworm-slim"

context @source = dir "." {
  include "files"
}

stage %app from image @debian {
  run "test \$(find /files -type f | wc -l) = $2 && du -sb /files | cut -f1 >/bytes" {
    mount @source at /files select "files"
  }
}

export from %app
END
}
mkdir -p "$work/many/files" "$work/big/files"
plan "$work/many" 50000
plan "$work/big" 1
python3 - "$work/many/files" <<'END'
import pathlib, sys
root = pathlib.Path(sys.argv[1])
for folder in range(500):
    (root / f"{folder:03}").mkdir()
    for file in range(100):
        (root / f"{folder:03}" / f"file-{file:02}.txt").write_text(f"{folder} {file}\n" * 20)
END
truncate --size 3G "$work/big/files/zeros"

# sent NAME: how many bytes of files that build has sent.
sent() { sed -nE 's/.*"event":"sent".*"bytes":([0-9]+).*/\1/p' "$(build_log "$1")" | tail -n 1; }

# sends NAME DIRECTORY: builds, with a look at the client's memory.
sends() {
	local status=0 began=$SECONDS
	python3 - "$work/peak" "$cogpackc" build "$2/plan.cpk" --output "type=tar,dest=$work/out.tar" --progress json \
		2>"$(build_log "$1")" <<'END' || status=$?
import pathlib, resource, subprocess, sys
report, *command = sys.argv[1:]
code = subprocess.run(command, stdin=subprocess.DEVNULL).returncode
pathlib.Path(report).write_text(str(resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss))
sys.exit(code)
END
	if [ "$status" != 0 ]; then
		printf 'not ok - the build %s: status %s\n' "$1" "$status"
		cat "$(build_log "$1")"
		exit 1
	fi
	printf 'ok - the build %s; %s s, the client had %s KiB at most\n' "$1" $((SECONDS - began)) "$(cat "$work/peak")"
	exits 'less than 100 MiB' 0 [ "$(cat "$work/peak")" -lt 102400 ]
}

for kind in many big; do
	sends "$kind" "$work/$kind"
	exits 'its files were sent' 0 [ "$(sent "$kind")" -gt 1000000 ]
	tar -xOf "$work/out.tar" bytes >"$work/bytes"
	exits 'and arrived' 0 [ "$(cat "$work/bytes")" -gt "$(du -sb "$work/$kind/files/" | awk '{ print $1 / 2 }' | cut -d. -f1)" ]
	sends "$kind-again" "$work/$kind"
	prints 'the second time nothing is sent' 0 sh -c 'echo "${1:-0}"' sh "$(sent "$kind-again")"
done

#!/usr/bin/env bash
# A build without a daemon says how fast it writes long layers: of bytes that do not compress, as many
# as this machine needs more than a second for.
# shellcheck source-path=SCRIPTDIR source=support.bash
. "$(dirname "$0")/support.bash"

cogpackc=${COGPACK_TEST_BINARY:?tests/run builds it and says where it is}
mkdir "$work/weights"
cat >"$work/plan.cpk" <<'END'
cpk 1

context @weights = dir "weights"

stage %app from scratch {
  copy "model.bin" from @weights to "/model.bin"
  file "/said" = "short"
}

export from %app
END
# told STYLE: what a build tells that has gzip try in vain.
told() {
	rm -rf "$work/layout"
	"$cogpackc" build "$work/plan.cpk" --builder direct --no-cache --output "type=layout,dest=$work/layout,compression=gzip" \
		--progress "$1" 2>"$work/told" || { cat "$work/told"; exit 1; }
}
speed='^#[0-9]+ %app: copy .*model\.bin.* [0-9.]+ [kMG]B, [0-9.]+ [kMG]?B/s$'
# A layer that takes less than a second has no speed, so the file grows until there is one.
for mebibytes in 128 256 512 1024; do
	head -c "${mebibytes}M" /dev/urandom >"$work/weights/model.bin"
	told plain
	! grep -qE "$speed" "$work/told" || break
done
matches 'the line of a long layer has its size and its speed' "$speed" cat "$work/told"
exits 'that of a short one has none' 1 grep -E '/said.*B/s' "$work/told"
told json
exits 'programs are told its bytes while they are written' 0 python3 -c '
import json, sys
size = int(sys.argv[2]) << 20
events = [json.loads(line) for line in open(sys.argv[1]) if line.startswith("{")]
moved = [event for event in events if event["event"] == "moved" and "model.bin" in event["item"]]
done = [event["bytes"] for event in moved]
assert done == sorted(done) and len(set(done)) > 3 and done[-1] >= size, done
assert [event["complete"] for event in moved] == [False] * (len(moved) - 1) + [True], moved
' "$work/told" "$mebibytes"

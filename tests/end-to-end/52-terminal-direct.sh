#!/usr/bin/env bash
# A build without a daemon in a real terminal: it is painted as those of a daemon are, and its summary tells
# where the time went, to packing among others.
# shellcheck source-path=SCRIPTDIR source=support.bash
. "$(dirname "$0")/support.bash"
needs_root_and_a_runtime

cogpackc=${COGPACK_TEST_BINARY:?tests/run builds it and says where it is}
in_terminal=$repository/tests/end-to-end/in-terminal
export TERM=xterm
unset NO_COLOR

shell_root "$work/root" sh sleep
# So much that no machine packs it before there is anything to see of it.
mkdir "$work/files"
head -c 64M /dev/urandom >"$work/files/weights"
# plan SECONDS
plan() {
	cat >"$work/plan.cpk" <<-END
		cpk 1

		context @root = dir "root"

		context @files = dir "files"

		stage %app from scratch {
		  copy contents "libraries" from @root to "/"
		  copy contents "bin" from @root to "/bin"
		  copy "weights" from @files to "/weights"
		  run """
		    set -e
		    for line in 1 2 3 4 5 6; do echo "output \$line of it"; sleep 0.1; done
		    sleep $1
		    """
		}

		export from %app
	END
}
builds_here=("$cogpackc" build "$work/plan.cpk" --builder direct --store "$work/store" --output "type=layout,dest=$work/image")

plan 0.5
exits 'a build in a terminal' 0 "$in_terminal" 24x80 "$work/seen" "${builds_here[@]}"
exits 'its live view showed the program by its first telling line' 0 grep -q '▸ %app run for line in' "$work/seen"
exits 'and what it wrote' 0 grep -q '│ output 6' "$work/seen"
exits 'and how far packing was' 0 grep -qE '▸ write the image .*MB' "$work/seen"
exits 'of which nothing is left' 1 grep -E '▸|│|✓|^building|output [0-9]' "$work/seen.screen"
matches 'but how long the program took' '^%app run for line in .* [0-9.]+s$' cat "$work/seen.screen"
matches 'and packing' '^write the image +[0-9.]+s$' cat "$work/seen.screen"
matches 'and all of it' '^built in [0-9.]+s: ' cat "$work/seen.screen"

rm -r "$work/image"
plan 60
exits 'Ctrl-C, typed into the terminal, ends it' 130 "$in_terminal" 24x80 "$work/interrupted" --interrupt "${builds_here[@]}"
exits 'no rest of the live view is left' 1 grep -E '▸|│|✓|^building' "$work/interrupted.screen"
exits 'nor an image' 1 test -e "$work/image"

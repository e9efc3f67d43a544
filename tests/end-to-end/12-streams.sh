#!/usr/bin/env bash
# What cannot be written to standard output is not lost in silence, and a reader that has seen enough
# may go.
# shellcheck source-path=SCRIPTDIR source=support.bash
. "$(dirname "$0")/support.bash"

cogpackc=${COGPACK_TEST_BINARY:?tests/run builds it and says where it is}
plan=$repository/examples/language-detector/app.cpk

# to_full_disk ARGUMENT...
to_full_disk() { "$cogpackc" "$@" <"$plan" >/dev/full 2>"$work/said"; }
for command in "$plan -o llb" "$plan -o json" "fmt - " "resolve $plan" "graph $plan --as svg" "explain cpk::stage::cycle"; do
	# shellcheck disable=SC2086  # words
	exits "a full disk behind standard output: $command" 2 to_full_disk $command
	exits 'is told' 0 grep -q 'No space left on device' "$work/said"
done

head_of() { "$cogpackc" resolve "$plan" | head -n 1 >"$work/first"; }
exits 'a reader that has seen enough may go' 0 head_of

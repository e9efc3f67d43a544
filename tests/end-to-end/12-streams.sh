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

# An image that goes to standard output is all that goes there; what is told of it goes beside.
build() { (cd "$(dirname "$plan")" && "$cogpackc" build "$plan" --builder direct --no-record --output "type=oci,dest=$1" "${@:2}"); }
exits 'an image goes to a file' 0 build "$work/file.tar" --progress quiet
for told in '--progress quiet' '--format json'; do
	# shellcheck disable=SC2086  # words
	build - $told >"$work/stream.tar" 2>"$work/said"
	exits "the same bytes go to standard output: $told" 0 cmp "$work/file.tar" "$work/stream.tar"
	matches 'and its digest beside them' 'sha256:[0-9a-f]{64}' cat "$work/said"
done

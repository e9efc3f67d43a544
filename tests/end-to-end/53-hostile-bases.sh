#!/usr/bin/env bash
# Base images that somebody made to do harm, by every way on which a base comes: nothing outside of the
# image is touched, memory and disk stay small, and what is refused is named.
# shellcheck source-path=SCRIPTDIR source=support.bash disable=SC2016
. "$(dirname "$0")/support.bash"

: "${COGPACK_TEST_BINARY:?tests/run builds it and says where it is}"
needs_root_and_a_runtime
hostile=$repository/tests/end-to-end/hostile-bases

# What the images try to reach, and a root with a shell for those that can be built on.
mkdir -p "$work/outside" "$work/bases" "$work/root/libraries"
echo kept >"$work/outside/kept"
shell_root "$work/root" sh ls cat head
mv "$work/root/bin" "$work/root/libraries/"
tar -C "$work/root/libraries" --owner=0 --group=0 -cf "$work/shell.tar" .
"$hostile" make "$work/bases" "$work/outside" "$work/shell.tar"

"$hostile" serve "$work/bases" >"$work/port" 2>"$work/requests" &
server=$!
trap 'kill "$server"; rm -rf --one-file-system "$work"' EXIT
for _ in $(seq 300); do [ ! -s "$work/port" ] || break; sleep 0.1; done
registry=127.0.0.1:$(cat "$work/port")

# plan_on PLAN IMAGE OP
plan_on() {
	printf 'cpk 1\n\nimage @base = "%s"\n\nstage %%app from image @base {\n  %s\n}\n\nexport from %%app\n' "$2" "$3" >"$1"
}

# bounded STATUS COMMAND...: it ends so, in a minute, with at most 750 MB of memory (data of the process, whatever its
# threads and libraries map) and 1,100 MB of the store, and nobody has touched what is outside.
bounded() {
	local wanted=$1 status=0 used
	shift
	rm -rf "$work/store" "$work/made"
	(
		ulimit -d 750000
		exec timeout 60 "$@"
	) >"$work/output" 2>"$work/said" </dev/null || status=$?
	used=$(du --summarize --block-size=1M "$work/store" 2>/dev/null | cut -f1) || true
	[ "$status" = "$wanted" ] || broken "status $status instead of $wanted" "$@"
	[ "${used:-0}" -le 1100 ] || broken "$used MB are in the store" "$@"
	[ "$(cd "$work/outside" && ls -A && cat kept)" = $'kept\nkept' ] || broken 'what is outside was touched' "$@"
	[ "$wanted" = 0 ] || [ ! -e "$work/made" ] || broken 'something half made is left' "$@"
}

broken() {
	printf 'not ok - %s: %s\n' "$*" "$name"
	cat "$work/output" "$work/said"
	exit 1
}

# names WORD...: what was said has each of these.
names() {
	local word
	for word; do grep -qF -- "$word" "$work/said" || broken "\`$word\` is not in what is said"; done
}

layer_of() { python3 -c 'import json, sys; print(json.load(open(sys.argv[1]))["layers"][-1]["digest"])' "$1/manifest"; }

# refused NAME WORD...: by every way, with the layer and these words in what is said.
refused() {
	local base layer way
	name=$1
	shift
	base=$work/bases/$name
	layer=$(layer_of "$base")
	# What takes seconds to be found out is tried by two ways.
	for way in ${ways:-layout layout.tar saved.tar registry}; do
		# What an archive says of a layer is its own name of it, and there is no such name in one of `docker save`.
		case $name:$way in wrong-digest:layout.tar | wrong-digest:saved.tar | too-*:*.tar | no-gzip:saved.tar) continue ;; esac
		if [ "$way" = registry ]; then
			plan_on "$work/run.cpk" "$registry/$name/base" 'run "true"'
			way_in=()
		else
			plan_on "$work/run.cpk" base 'run "true"'
			plan_on "$work/file.cpk" base 'file "/ours" = "ours"'
			way_in=(--layout "base=$base/$way")
			bounded 2 "$COGPACK_TEST_BINARY" "$work/file.cpk" -o oci -O "$work/made" --store "$work/store" "${way_in[@]}"
			names "${layer#sha256:}" "$@"
		fi
		bounded 2 "$COGPACK_TEST_BINARY" build "$work/run.cpk" --builder direct --store "$work/store" \
			--output "type=layout,dest=$work/made" --progress quiet "${way_in[@]}"
		names "${layer#sha256:}" "$@"
		# Not even of the layers below it.
		[ -z "$(find "$work/store/parts" "$work/store/work" -mindepth 1 2>/dev/null)" ] || broken 'something of it is left' "$way"
	done
	printf 'ok - %s is refused\n' "$name"
}

# used NAME SCRIPT: by every way, and the script holds in it.
used() {
	local way
	name=$1
	for way in layout layout.tar saved.tar registry; do
		if [ "$way" = registry ]; then
			plan_on "$work/run.cpk" "$registry/$name/base" "run \"$2\""
			way_in=()
		else
			plan_on "$work/run.cpk" base "run \"$2\""
			way_in=(--layout "base=$work/bases/$name/$way")
		fi
		bounded 0 "$COGPACK_TEST_BINARY" build "$work/run.cpk" --builder direct --store "$work/store" \
			--output "type=layout,dest=$work/made" --progress quiet "${way_in[@]}"
	done
	printf 'ok - %s is used, and stays inside\n' "$name"
}

out=$work/outside
refused dots 'a/../../../escaped'
refused dots-in-a-long-name 'outside/escaped'
refused hard-link-up 'etc/passwd'
refused hard-link-to-the-machines-file '`stolen`' 'outside/kept'
refused hard-link-through-a-link '`stolen`' 'way/kept'
used good-absolute "test -f $out/escaped"
used good-link-out "test -f $out/escaped && test -f $out/escaped-too && test ! -L $out/kept"
used good-link-replaced 'test -f /d/escaped && test ! -L /d'
used good-link-out-below "test -f $out/escaped && test ! -e $out/kept"
used good-whiteouts-out 'test -L /way && test ! -e /way/kept'
used good-layers 'test ! -e /d/old && test ! -e /d/sub && test -f /d/new && test x$(cat /first /again /d/again) = xfirstfirstfirst'
used good-devices 'test -b /disk && test -c /memory && ! head -c 1 /disk && ! head -c 1 /memory && test -p /pipe'
used good-attributes 'test -d /d && test ! -e /d/etc && test -x /bin/sh'
refused huge-pax '`before`' 'more than a mebibyte of names'
refused huge-name '`before`' 'more than a mebibyte of names'
refused long-name '`nnn' 'a name of more than 255 bytes'
refused long-path '`nnn' 'a path of more than 4095 bytes'
refused long-link '`long' 'target of more than 4095 bytes'
refused deep 'd/d/d' 'more than 1000 parts'
refused large-number '`before`' 'too large a number'
refused negative-pax '`before`' 'a PAX record that is no number'
refused huge-size '`before`' 'a size that no archive can have'
refused cut '`cut`'
refused noise '`before`' 'at byte 1024'
refused under-a-file 'before/below'
refused circle 'a/file' 'more than 40 links'
refused unknown-kind '`strange`' 'no layer may hold'
refused no-root 'replaces the root'
refused wrong-digest
refused wrong-diff-id 'as its config says'
refused too-short
refused too-long
refused no-gzip
refused cut-gzip
ways='layout registry'
refused gzip-bomb '`bomb`' 'more than 1073741824 bytes'
refused zstd-bomb '`bomb`' 'more than 1073741824 bytes'
refused zstd-window
refused zeros-behind-the-end '`before`' 'more than 1073741824 bytes'
refused thousand-bombs '`bomb`' 'more than 1073741824 bytes'
refused many-directories 'more files and directories than'

# Strange, and an image. The kernel lays fewer over each other.
name=good-thousand-layers
way_in=(--layout "base=$work/bases/$name/layout")
plan_on "$work/file.cpk" base 'file "/ours" = "ours"'
bounded 0 "$COGPACK_TEST_BINARY" "$work/file.cpk" -o oci -O "$work/made" "${way_in[@]}"
plan_on "$work/run.cpk" base 'run "true"'
bounded 2 "$COGPACK_TEST_BINARY" build "$work/run.cpk" --builder direct --store "$work/store" \
	--output "type=layout,dest=$work/made" --progress quiet "${way_in[@]}"
names 'lays 500 layers over each other, and not 1001'
echo 'ok - a thousand layers are copied, and too many to run something on'

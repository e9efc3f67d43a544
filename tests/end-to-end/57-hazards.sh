#!/usr/bin/env bash
# What may stand in the way of a build without a daemon: names and links of every kind, what is no file,
# what may not be read, what changes meanwhile, large files, very many of them, a disk that is full, and
# builds that were killed. Each gives the image or one clear error, and leaves nothing half made.
#
#   tests/end-to-end/57-hazards.sh [ENTRIES]
# shellcheck source-path=SCRIPTDIR source=support.bash
. "$(dirname "$0")/support.bash"

cogpackc=${COGPACK_TEST_BINARY:?tests/run builds it and says where it is}
# Of the largest directory; an even number.
entries=${1:-300000}
if [ "$(id -u)" != 0 ]; then
	echo 'skipped: other users and small disks take root'
	exit 77
fi
trap 'umount "$work/small/out" "$work/small/store" "$work/small/both" "$work/memory" 2>/dev/null || true; rm -rf --one-file-system "$work"' EXIT
# What is made lies in memory, where nothing has to wait for a disk.
mkdir "$work/memory"
mount -t tmpfs -o size=256m none "$work/memory"
made=$work/memory/made store=$work/memory/store
mkdir "$made"
cc -shared -fPIC -O1 -o "$work/faulty-disk.so" "$repository/tests/end-to-end/faulty-disk.c" -ldl

# project NAME: a directory with an empty context and a plan that copies all of it.
project() {
	mkdir -p "$work/$1/files"
	cat >"$work/$1/plan.cpk" <<-'END'
		cpk 1

		context @source = dir "files"

		stage %app from scratch {
		  copy contents "." from @source to "/srv"
		}

		export from %app
	END
}

# compiles PROJECT COMPRESSION and builds_here PROJECT COMPRESSION: into $made/image, by a store.
compiles() { "$cogpackc" "$work/$1/plan.cpk" -o oci -O "$made/image" --compression "$2" --store "$store"; }
builds_here() {
	# Who keeps a record reads files as well, and would be the one to see them change.
	"$cogpackc" build "$work/$1/plan.cpk" --builder direct --store "$store" --progress quiet --no-record \
		--output "type=layout,dest=$made/image,compression=$2"
}

# measured WHAT MEBIBYTES ARGUMENT...: it succeeds, and never has as much memory as that.
measured() {
	exits "$1" 0 python3 -c '
import pathlib, resource, subprocess, sys
subprocess.run(sys.argv[2:], check=True, stdin=subprocess.DEVNULL)
pathlib.Path(sys.argv[1]).write_text(f"{resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss // 1024}\n")
' "$work/peak" "$cogpackc" "${@:3}"
	printf '# %s: %s MiB\n' "$1" "$(cat "$work/peak")"
	exits "$1: less than $2 MiB" 0 test "$(cat "$work/peak")" -lt "$2"
}

# fails WHAT WORDS COMMAND...: it ends with 2, says this, and leaves nothing beside or in place of the image.
fails() {
	exits "$1" 2 "${@:3}"
	mv "$work/output" "$work/said"
	prints "$1: it is said" "$2" grep -oF -- "$2" "$work/said"
	nothing_left "$1"
}
nothing_left() { prints "$1: nothing is left" '' sh -c 'echo; ls -A "$1"' sh "$made"; }

# both PROJECT: makes the image both ways, compares them, and unpacks its only layer to $work/unpacked.
both() {
	exits "$1: -o oci" 0 compiles "$1" none
	rm -r "$store"
	mv "$made/image" "$work/compiled"
	exits "$1: build" 0 builds_here "$1" none
	exits "$1: both are one image" 0 diff -r "$work/compiled" "$made/image"
	mkdir "$work/unpacked"
	layer=$(ls -S "$work/compiled/blobs/sha256" | head -n 1)
	tar -C "$work/unpacked" -xpf "$work/compiled/blobs/sha256/$layer"
	rm -r "$work/compiled" "$made/image"
}

# Names of every length and kind, and links in chains and circles.
project names
python3 - "$work/names/files" <<'END'
import os, socket, sys
os.chdir(sys.argv[1])
for directory in (b"d" * 255, b"plain"):
    os.mkdir(directory)
    for name in (b"f" * 255, b"\xff\xfe", b"line\nbreak", b"-", b"\xc3\xa4" * 127, b" ", b"\\", b"*"):
        with open(directory + b"/" + name, "wb") as file:
            file.write(name)
deep = b"/".join([b"deep"] * 300)
os.makedirs(deep)
with open(deep + b"/file", "wb") as file:
    file.write(b"deep")
with open("real", "w") as file:
    file.write("real")
before = "real"
for number in range(1, 42):
    os.symlink(before, f"link-{number}")
    before = f"link-{number}"
for name, target in (("a", "b"), ("b", "a"), ("self", "self"), ("here", "."), ("above", ".."), ("outside", "/etc/passwd"),
                     ("nowhere", "nothing"), ("long", "x" * 4095)):
    os.symlink(target, name)
END
both names
exits 'names: every file and link is there' 0 diff -r --no-dereference "$work/names/files" "$work/unpacked/srv"
rm -r "$work/unpacked"

# A copy that follows goes through forty links, as the kernel does, and no further.
sed 's|copy contents "." from @source to "/srv"|copy "LINK" from @source to "/srv" follow|' "$work/names/plan.cpk" >"$work/names/follow"
for link in link-40 link-41 a self outside nowhere; do
	sed "s/LINK/$link/" "$work/names/follow" >"$work/names/plan.cpk"
	if [ "$link" = link-40 ]; then
		exits 'forty links are followed' 0 compiles names gzip
		rm -r "$made/image"
	else
		exits "$link leads nowhere" 1 compiles names gzip
		mv "$work/output" "$work/said"
		prints "$link is named" "$link" grep -oF -- "$link" "$work/said"
		nothing_left "$link"
	fi
done

# Sockets are passed over; what else is no file is refused by name.
project special
echo a >"$work/special/files/a"
python3 -c 'import socket, sys; socket.socket(socket.AF_UNIX).bind(sys.argv[1])' "$work/special/files/socket"
both special
prints 'a socket is passed over' 'a' ls -A "$work/unpacked/srv"
prints 'and nothing else' '1' sh -c 'ls -A "$1" | wc -l' sh "$work/unpacked/srv"
rm -r "$work/unpacked"
for how in compiles builds_here; do
	mkfifo "$work/special/files/pipe"
	fails "$how: a pipe" 'files/pipe` is a named pipe, which cannot be part of the context `@source`: exclude it' "$how" special gzip
	rm "$work/special/files/pipe"
	mknod "$work/special/files/null" c 1 3
	fails "$how: a device" 'files/null` is a device, which cannot be part of the context `@source`: exclude it' "$how" special gzip
	rm "$work/special/files/null"
done

# What may not be read.
project secret
mkdir "$work/secret/files/folder"
echo a | tee "$work/secret/files/file" >"$work/secret/files/folder/file"
chmod 755 "$work"
chmod 777 "$made"
cp "$cogpackc" "$work/cogpackc"
as_other() { HOME=/nonexistent setpriv --reuid 12345 --regid 12345 --clear-groups "$work/cogpackc" "$work/secret/plan.cpk" -o oci -O "$made/image"; }
exits 'another user reads it' 0 as_other
rm -r "$made/image"
chmod 000 "$work/secret/files/file"
fails 'a file that may not be read' 'open `file` of the context `@source`' as_other
chmod 644 "$work/secret/files/file"
builds_as_other() {
	HOME=/nonexistent setpriv --reuid 12345 --regid 12345 --clear-groups "$work/cogpackc" build "$work/secret/plan.cpk" \
		--builder direct --progress quiet --no-record --output "type=layout,dest=$made/image"
}
chmod 000 "$work/secret/files/file"
fails 'a file that may not be read, by build' 'open `file` of the context `@source`' builds_as_other
matches 'the way out is told' '^hint: let whoever builds read it' cat "$work/said"
chmod 644 "$work/secret/files/file"
exits 'build as another user reads what may be read' 0 builds_as_other
rm -r "$made/image"
for mode in 000 444; do
	chmod "$mode" "$work/secret/files/folder"
	fails "a directory of mode $mode" 'files/folder' as_other
	prints "mode $mode: why" 'Permission denied' grep -o 'Permission denied' "$work/said"
done

# What changes between the walk and the packing, or while it is packed.
project changing
head -c 300000 /dev/urandom >"$work/changing/random"
changes() { # HOW COMMAND COMPILE-OR-BUILD OPTION...
	CHANGE_FILE=$work/changing/files/file CHANGE_AT=$1 CHANGE_COMMAND=$2 LD_PRELOAD=$work/faulty-disk.so "$3" "${@:4}"
}
export -f compiles builds_here changes
export work made store cogpackc
fresh() {
	rm -rf "$work/changing/files/file"
	cp "$work/changing/random" "$work/changing/files/file"
	touch -d '1 hour ago' "$work/changing/files/file"
}
for at in open read; do
	# shellcheck disable=SC2016  # the process that is preloaded expands them
	for command in 'echo more >>$CHANGE_FILE' 'truncate --size 100 $CHANGE_FILE' 'touch $CHANGE_FILE' \
		'cp $CHANGE_FILE $CHANGE_FILE.new; mv $CHANGE_FILE.new $CHANGE_FILE' 'rm $CHANGE_FILE; mkfifo $CHANGE_FILE' \
		'rm $CHANGE_FILE; ln -s /dev/zero $CHANGE_FILE' 'rm $CHANGE_FILE'; do
		# A file that has lost its name goes on being what it was for who has opened it.
		case $at:$command in read:*mv*|read:rm*) continue ;; esac
		for how in compiles builds_here; do
			fresh
			fails "$at: $how: $command" 'file`' timeout 60 bash -c 'changes "$@"' bash "$at" "$command" "$how" changing gzip
		done
	done
done

# A file that changes after its layer was packed and looked up again: the store takes nothing for it.
fresh
exits 'a first build' 0 compiles changing gzip
rm -r "$made/image"
touch "$work/changing/files/file"
fails 'a file that changes while it is compared' 'file`' timeout 60 bash -c 'changes "$@"' bash read 'echo more >>$CHANGE_FILE' builds_here changing gzip
fresh
exits 'the next one has it' 0 builds_here changing gzip
rm -r "$made/image"

# A file of more than 4 GiB, none of which is on the disk.
project large
truncate --size $((4 * 1024 * 1024 * 1024 + 1)) "$work/large/files/large"
measured 'more than 4 GiB' 200 "$work/large/plan.cpk" -o oci -O "$made/image" --compression zstd --store "$store"
layer=$(find "$made/image/blobs/sha256" -size +32k)
prints 'its size is told' 4294967297 sh -c 'zstd -dcq "$1" | tar -tvf - | sed -n "s|.* \([0-9]*\) 19.*srv/large$|\1|p"' sh "$layer"
rm -r "$made/image"

# Four files that do not compress, each a layer of its own, which are packed at once as far as there are processors.
project weights
for number in {1..4}; do head -c 24M /dev/urandom >"$work/weights/files/$number"; done
sed -i 's|^  copy .*|  copy "1" from @source to "/1"\n  copy "2" from @source to "/2"\n  copy "3" from @source to "/3"\n  copy "4" from @source to "/4"|' "$work/weights/plan.cpk"
measured 'four large layers' 200 "$work/weights/plan.cpk" -o oci -O "$made/image"
prints 'each is one' 4 sh -c 'find "$1" -size +20M | wc -l' sh "$made/image/blobs"
rm -r "$made/image"
measured 'four large layers, compressed' 200 "$work/weights/plan.cpk" -o oci -O "$made/image" --compression gzip
rm -r "$work/weights" "$made/image"

# A directory of very many entries, which are the two names of half as many files: most of them do not stay in memory,
# and neither does what knows them again, so that more of them take no more.
project many
python3 - "$work/many/files" "$entries" <<'END'
import os, sys
directory, half = os.open(sys.argv[1], os.O_RDONLY), int(sys.argv[2]) // 2
name = lambda number: f"entry-{number:07}.txt"
for number in range(2 * half):
    if number < half:
        os.close(os.open(name(number), os.O_CREAT | os.O_WRONLY, dir_fd=directory))
    else:
        os.link(name(number - half), name(number), src_dir_fd=directory, dst_dir_fd=directory)
END
measured "$entries entries" 75 "$work/many/plan.cpk" -o oci -O "$made/image" --compression zstd
layer=$(find "$made/image/blobs/sha256" -size +32k)
zstd -dcq "$layer" | tar -tvf - >"$work/many/listing"
prints 'all of them are there' "$((entries + 1))" sh -c 'wc -l <"$1"' sh "$work/many/listing"
exits 'each second name is a link to the first' 0 awk -v "half=$((entries / 2))" '
	/^h/ { links++; if (substr($0, length($0) - 10, 7) + 0 != substr($6, 11, 7) - half) wrong++ }
	END { print links, wrong; exit !(links == half && !wrong) }' "$work/many/listing"
rm -rf "$made/image" "$work/many"

# A disk that is full: at every seventh call that takes room, once or from then on, on all disks together.
project full
python3 -c 'import random, sys
chance = random.Random(1)
for number in range(30):
    open(f"{sys.argv[1]}/file-{number}", "wb").write(chance.randbytes(50_000))' "$work/full/files"
sums_of() { (cd "$1" && find ./image -type f -exec sha256sum {} + | sort -k 2); }
sums() { sums_of "$made"; }
# is_clean WHAT: nothing half made is in either place, and the store is whole.
is_clean() {
	prints "$1: nothing half made is beside the image" 0 sh -c 'ls -A "$1" | grep -vcx image || true' sh "$made"
	if [ -e "$store/version" ]; then
		exits "$1: the store is whole" 0 "$cogpackc" store verify --store "$store"
		prints "$1: nothing half made is in the store" 0 sh -c 'ls -A "$1" "$2" | grep -vx keeping.lock | grep -c "[.]lock$\|^version[.]" || true' sh "$store/work" "$store"
	fi
}
# full_at WHAT COMMAND...: it fails as it should on a full disk, or comes through, and the next one gives the image.
full_at() {
	local what=$1 status=0
	shift
	"$@" >"$work/said" 2>&1 </dev/null || status=$?
	case $status in
	0) ;;
	2)
		matches "$what: why" '[Nn]o (storage space|space left)' cat "$work/said"
		# shellcheck disable=SC2016  # awk's
		exits "$what: on which path" 0 awk '/[Nn]o (storage space|space left)/ { exit !named } /`[^`]*[/][^`]*`$/ { named = 1 }' "$work/said"
		matches "$what: the way out" '^hint: .*(another place|place on another)' cat "$work/said"
		;;
	*) exits "$what" 2 sh -c "cat '$work/said'; exit $status" ;;
	esac
	is_clean "$what"
}
again() {
	exits "$1: the next one succeeds" 0 builds_here full gzip
	exits "$1: it gives the same image" 0 diff "$work/expected" <(sums)
}
rm -rf "$store"
exits 'a build with room' 0 env "FULL_COUNT=$work/count" "LD_PRELOAD=$work/faulty-disk.so" \
	"$cogpackc" build "$work/full/plan.cpk" --builder direct --store "$store" --progress quiet \
	--output "type=layout,dest=$made/image,compression=gzip"
sums >"$work/expected"
calls=$(cat "$work/count")
exits "which takes room $calls times" 0 test "$calls" -gt 30
for ((number = 0; number < calls; number += 7)); do
	for length in once ever; do
		rm -rf "$made/image" "$store"
		full_at "full after $number calls, $length" env "FULL_AFTER=$number" "FULL_FOR=$length" "LD_PRELOAD=$work/faulty-disk.so" \
			"$cogpackc" build "$work/full/plan.cpk" --builder direct --store "$store" --progress quiet \
			--output "type=layout,dest=$made/image,compression=gzip"
		again "full after $number calls, $length"
	done
done

# Real disks that are too small, by one page more each time where it matters: for the image, for the store.
mkdir -p "$work/small/out" "$work/small/store" "$work/small/both"
for size in 64 1000 1476 1484 1492; do
	for place in out store both; do
		mount -t tmpfs -o "size=${size}k" none "$work/small/$place"
		at=$store image=$work/small/out/image
		if [ "$place" = store ]; then at=$work/small/store/store image=$made/image; fi
		if [ "$place" = both ]; then at=$work/small/both/store image=$work/small/both/image; fi
		rm -rf "$store" "$made/image"
		full_at "$size KiB for $place" "$cogpackc" build "$work/full/plan.cpk" --builder direct --store "$at" --progress quiet \
			--output "type=layout,dest=$image,compression=gzip"
		prints "$size KiB for $place: nothing half made" 0 sh -c 'ls -A "$1" | grep -vcx "image\|store" || true' sh "$work/small/$place"
		if [ "$place" != out ] && [ -e "$at/version" ]; then
			exits "$size KiB for $place: the store is whole" 0 "$cogpackc" store verify --store "$at"
		fi
		if [ "$place" = out ]; then again "$size KiB for $place"; fi
		if [ "$place" = both ]; then
			mount -o remount,size=16m "$work/small/both"
			exits "$size KiB for both: with more room the next one succeeds" 0 "$cogpackc" build "$work/full/plan.cpk" --builder direct \
				--store "$at" --progress quiet --output "type=layout,dest=$image,compression=gzip"
			exits "$size KiB for both: it gives the same image" 0 diff "$work/expected" <(sums_of "$work/small/both")
		fi
		umount "$work/small/$place"
	done
done
rm -rf "$made/image"

# An archive of large layers that are not compressed: they are written to their places in it, several at once and
# past the cache, and what comes between afterwards.
project places
python3 -c 'import random, sys
chance = random.Random(2)
for number in range(3):
    open(f"{sys.argv[1]}/file-{number}", "wb").write(chance.randbytes((24 << 20) + number))' "$work/places/files"
sed -i '/copy contents/d; /^stage/a\  copy "file-0" from @source to "/0"\n  copy "file-1" from @source to "/1"\n  copy "file-2" from @source to "/2"' \
	"$work/places/plan.cpk"
archives() {
	command=("$cogpackc" build "$work/places/plan.cpk" --builder direct --store "$store" --progress "$2" --no-record
		--output "type=oci,dest=$1,compression=none")
}
rm -rf "$store"
archives - plain
exits 'an archive as a stream' 0 sh -c 'out=$1; shift; "$@" >"$out"' sh "$work/streamed" "${command[@]}"
rm -rf "$store"
archives "$made/image" quiet
exits 'the same as a file' 0 env "FULL_COUNT=$work/count" "LD_PRELOAD=$work/faulty-disk.so" "${command[@]}"
exits 'it has the same bytes' 0 cmp "$work/streamed" "$made/image"
calls=$(cat "$work/count")
exits "which takes room $calls times" 0 test "$calls" -gt 30
whole() {
	exits "$1: the next one succeeds" 0 "${command[@]}"
	exits "$1: it gives the same archive" 0 cmp "$work/streamed" "$made/image"
	prints "$1: it is alone" image ls -A "$made"
}
for ((number = 0; number < calls; number += 9)); do
	for length in once ever; do
		rm -rf "$made/image" "$store"
		full_at "archive, full after $number calls, $length" \
			env "FULL_AFTER=$number" "FULL_FOR=$length" "LD_PRELOAD=$work/faulty-disk.so" "${command[@]}"
		whole "archive, full after $number calls, $length"
	done
	rm -rf "$made/image" "$store"
	exits "archive, killed after $number calls" 137 env "KILL_AFTER=$number" "LD_PRELOAD=$work/faulty-disk.so" "${command[@]}"
	whole "archive, killed after $number calls"
done
rm -rf "$made/image" "$store"
for size in 40 72; do
	mount -t tmpfs -o "size=${size}m" none "$work/small/out"
	archives "$work/small/out/image" quiet
	full_at "an archive and $size MiB" "${command[@]}"
	prints "an archive and $size MiB: nothing is left" '' sh -c 'echo; ls -A "$1"' sh "$work/small/out"
	umount "$work/small/out"
done
rm -rf "$store" "$work/streamed" "$work/places"

# What is fetched comes into the store. That its disk is full is no fault of whoever sends, and nothing is wrong with
# what was sent: images of a registry and of an archive, wheels, Debian packages, files of a server and a repository.
web=$work/web
mkdir -p "$web/v2/base/manifests" "$web/v2/base/blobs" "$web/git" "$work/tiny/DEBIAN" "$work/tiny/usr/share"
serve "$web"
trap 'kill "$server"; umount "$work/small/out" "$work/small/store" "$work/small/both" "$work/memory" 2>/dev/null || true; rm -rf --one-file-system "$work"' EXIT
exits 'an image is made that is fetched' 0 compiles full none
manifest=$(python3 -c 'import json, sys; print(json.load(open(sys.argv[1]))["manifests"][0]["digest"])' "$made/image/index.json")
cp "$made/image/blobs/sha256/${manifest#*:}" "$web/v2/base/manifests/latest"
for blob in "$made/image/blobs/sha256"/*; do cp "$blob" "$web/v2/base/blobs/sha256:${blob##*/}"; done
tar -C "$made/image" -cf "$work/saved.tar" .
rm -rf "$made/image" "$store"
head -c 300000 /dev/urandom >"$web/tool.bin"
head -c 300000 /dev/urandom >"$work/tiny/usr/share/tiny"
printf 'Package: tiny\nVersion: 1\nArchitecture: all\nMaintainer: nobody\nDescription: tiny\n' >"$work/tiny/DEBIAN/control"
exits 'so is a Debian package' 0 dpkg-deb --build --root-owner-group "$work/tiny" "$web/tiny_1_all.deb"
wheel=$("$repository/tests/end-to-end/make-wheel" "$web" words 1.0)
git init --quiet "$web/git/words"
head -c 300000 /dev/urandom >"$web/git/words/words"
git -C "$web/git/words" add words
git -C "$web/git/words" -c user.name=Test -c user.email=test@localhost commit --quiet --message first
project fetched
cat >"$work/fetched/plan.cpk" <<END
cpk 1

platform linux/amd64

image @base = "127.0.0.1:$port/base:latest"

context @known = http "http://127.0.0.1:$port/tool.bin" {
  checksum sha256:$(sha256sum "$web/tool.bin" | cut -d ' ' -f 1)
}

context @unknown = http "http://127.0.0.1:$port/tool.bin"

context @words = git "http://127.0.0.1:$port/git/words" {
  commit $(git -C "$web/git/words" rev-parse HEAD)
}

context @wheels = wheels {
  python "3.11"
  wheel "words-1.0-py3-none-any.whl" {
    hash sha256:$wheel
    url "http://127.0.0.1:$port/words-1.0-py3-none-any.whl"
  }
}

context @system = debs {
  deb "tiny_1_all.deb" {
    hash sha256:$(sha256sum "$web/tiny_1_all.deb" | cut -d ' ' -f 1)
    url "http://127.0.0.1:$port/tiny_1_all.deb"
  }
}

stage %app from image @base {
  copy "tool.bin" from @known to "/known"
  copy "tool.bin" from @unknown to "/unknown"
  copy "words" from @words to "/words"
  copy contents "." from @wheels to "/python"
  copy contents "." from @system to "/system"
}

export from %app
END
sed '/^context/,/^stage/{/^stage/!d}; /^  copy/d' "$work/fetched/plan.cpk" >"$work/fetched/alone.cpk"
fetches() { # SETTING...
	env "$@" "$cogpackc" build "$work/fetched/${plan[0]}" --builder direct "${plan[@]:1}" --store "$store" --progress quiet --no-record \
		--output "type=layout,dest=$made/image,compression=none"
}
fetched() {
	exits "$1: the next one succeeds" 0 fetches
	exits "$1: it gives the same image" 0 diff "$work/expected" <(sums)
}
length=ever
for from in archive servers; do
	plan=(plan.cpk)
	if [ "$from" = archive ]; then plan=(alone.cpk --layout "base=$work/saved.tar"); fi
	rm -rf "$made/image" "$store"
	exits "all is fetched from $from" 0 fetches "FULL_COUNT=$work/count" "LD_PRELOAD=$work/faulty-disk.so"
	sums >"$work/expected"
	calls=$(cat "$work/count")
	exits "which takes room $calls times" 0 test "$calls" -gt 40
	for ((number = 2; number < calls; number += 9 + calls / 12)); do
		if [ "$length" = ever ]; then length=once; else length=ever; fi
		rm -rf "$made/image" "$store"
		full_at "fetching from $from, full after $number calls, $length" \
			fetches "FULL_AFTER=$number" "FULL_FOR=$length" "LD_PRELOAD=$work/faulty-disk.so"
		fetched "fetching from $from, full after $number calls, $length"
	done
done
# git writes by itself: so many calls of each of its processes find room.
mkdir "$work/path"
printf '#!/bin/sh\nexport LD_PRELOAD="%s" FULL_AFTER="$CALLS_OF_GIT"\nexec "%s" "$@"\n' \
	"$work/faulty-disk.so" "$(command -v git)" >"$work/path/git"
chmod 755 "$work/path/git"
for number in 0 9; do
	rm -rf "$made/image" "$store"
	full_at "git, full after $number calls" fetches "CALLS_OF_GIT=$number" "PATH=$work/path:$PATH"
	fetched "git, full after $number calls"
done
# Disks that are too small for the commit, for its files, for packages, for files, for a layer.
whole=$store store=$work/small/store/store
for size in 250 900 1800 2800; do
	mount -t tmpfs -o "size=${size}k" none "$work/small/store"
	rm -rf "$made/image"
	full_at "$size KiB for what is fetched" fetches
	prints "$size KiB for what is fetched: it was refused" 1 sh -c 'grep -c "^hint: nothing half written" "$1"' sh "$work/said"
	mount -o remount,size=16m "$work/small/store"
	fetched "$size KiB for what is fetched"
	umount "$work/small/store"
done
store=$whole
rm -rf "$made/image" "$store"

# A build that was killed leaves what it has made aside; the next one takes that away, and what lives stays.
fresh
# shellcheck disable=SC2016
killed() {
	CHANGE_FILE=$work/changing/files/file CHANGE_AT=read CHANGE_COMMAND='kill -KILL $PPID' LD_PRELOAD=$work/faulty-disk.so \
		"$cogpackc" "$work/changing/plan.cpk" -o oci -O "$made/image" --compression gzip
}
exits 'a build is killed' 137 killed
exits 'it has left something' 0 sh -c 'ls -d "$1"/.cogpackc-aside-*/layout/blobs' sh "$made"
mkdir "$made/.cogpackc-aside-alive"
exec 7<"$made/.cogpackc-aside-alive"
flock 7
exits 'the next build' 0 compiles changing gzip
prints 'it takes away what nobody makes any more' '.cogpackc-aside-alive image' sh -c 'ls -A "$1" | xargs' sh "$made"
exec 7<&-
exits 'the one after it' 0 compiles changing gzip
prints 'takes away the rest, though nothing else has changed' 'image' ls -A "$made"
rm -rf "$made/image"

# Whatever is written, and at whatever call that takes room it is killed: the next one takes away what was left.
# At twelve calls or so of each.
project kept
sed -i '/copy contents/a\  env PATH = "/usr/bin"' "$work/kept/plan.cpk"
for number in {1..4}; do printf 'text %s\n' "$number" >"$work/kept/files/file-$number"; done
writing_kept() {
	case $1 in
	definition) command=("$cogpackc" "$work/kept/plan.cpk" -o llb -O "$made/image") ;;
	eject) command=("$cogpackc" "$work/kept/plan.cpk" -o dockerfile -O "$made/image") ;;
	layout) command=("$cogpackc" "$work/kept/plan.cpk" -o oci -O "$made/image" --store "$store") ;;
	archive) command=("$cogpackc" build "$work/kept/plan.cpk" --builder direct --store "$store" --progress quiet --output "type=oci,dest=$made/image") ;;
	esac
}
for kind in definition eject layout archive; do
	rm -rf "$store"
	writing_kept "$kind"
	exits "$kind: made with nobody in the way" 0 env "FULL_COUNT=$work/count" "LD_PRELOAD=$work/faulty-disk.so" "${command[@]}"
	sums >"$work/expected"
	calls=$(cat "$work/count") has_left=0
	for ((number = 0; number < calls; number += 1 + calls / 12)); do
		rm -rf "$made/image" "$store" "$work/kept/.cog"
		exits "$kind: killed after $number calls" 137 env "KILL_AFTER=$number" "LD_PRELOAD=$work/faulty-disk.so" "${command[@]}"
		has_left=$((has_left + $(find "$made" -maxdepth 1 -name '.cogpackc-aside-*' | wc -l)))
		exits "$kind: the next one after $number calls" 0 "${command[@]}"
		prints "$kind: it is alone after $number calls" image ls -A "$made"
		exits "$kind: it is the same after $number calls" 0 diff "$work/expected" <(sums)
	done
	exits "$kind: something was left to take away" 0 test "$has_left" -gt 0
	rm -rf "$made/image"
done

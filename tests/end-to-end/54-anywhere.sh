#!/usr/bin/env bash
# Builds without a daemon give one image, whoever builds where: another user, umask, locale, time zone
# and clock, another order of the files, on ext4, tmpfs and overlay.
# shellcheck source-path=SCRIPTDIR source=support.bash
. "$(dirname "$0")/support.bash"

: "${COGPACK_TEST_BINARY:?tests/run builds it and says where it is}"
needs_root_and_a_runtime
"$repository/tests/rig/rig" need faketime
# Others may go in here, and call the binary.
chmod 755 "$work"
cogpackc=$work/cogpackc
cp "$COGPACK_TEST_BINARY" "$cogpackc"

mkdir "$work/disk" "$work/memory" "$work/layers" "$work/lower"
trap 'umount "$work/layers" "$work/memory" 2>/dev/null || true; rm -rf --one-file-system "$work"' EXIT
mount -t tmpfs -o size=256m none "$work/memory"
# The kernel wants what is written in one place with what it works on.
mkdir "$work/memory/upper" "$work/memory/work"
mount -t overlay -o "lowerdir=$work/lower,upperdir=$work/memory/upper,workdir=$work/memory/work" none "$work/layers"

# The project: names of every kind, modes, links of both kinds, and enough files that a directory has an order.
project=$work/lower/project
mkdir -p "$project/files/Straße" "$project/files/empty"
for number in $(seq 150); do echo "$number" >"$project/files/$((number * 7919 % 1000)).txt"; done
printf 'a' >"$project/files/Straße/I.txt"
printf 'b' >"$project/files/Straße/ı.txt"
printf 'c' >"$project/files/$(printf 'not\377text')"
ln "$project/files/Straße/I.txt" "$project/files/Straße/again"
ln -s '../Straße' "$project/files/empty/link"
head -c 300000 /dev/urandom >"$project/files/random"
chmod -R u=rwX,go=rX "$project"
chmod 4755 "$project/files/random"
shell_root "$work/root" sh cat mkdir id chmod
cat >"$work/base.cpk" <<'END_OF_PLAN'
cpk 1

context @root = dir "root"

stage %base from scratch {
  copy contents "libraries" from @root to "/"
  copy contents "bin" from @root to "/bin"
}

export from %base
END_OF_PLAN
exits 'the base image is made' 0 "$cogpackc" "$work/base.cpk" -o oci -O "$work/base"
# Packages, which are installed without any program, and whose files have owners and modes of their own.
mkdir -p "$work/packages/links" "$work/packages/debs" "$work/tiny/DEBIAN" "$work/tiny/etc" "$work/tiny/usr/bin"
printf 'Package: tiny\nVersion: 1\nArchitecture: all\nMaintainer: nobody\nDescription: tiny\n' >"$work/tiny/DEBIAN/control"
echo 'tool' >"$work/tiny/usr/bin/tool"
ln "$work/tiny/usr/bin/tool" "$work/tiny/usr/bin/name"
echo 'key' >"$work/tiny/etc/key"
chown 0:42 "$work/tiny/etc/key"
chmod 4755 "$work/tiny/usr/bin/tool"
chmod 0640 "$work/tiny/etc/key"
exits 'a Debian package is made' 0 dpkg-deb --build "$work/tiny" "$work/packages/debs/tiny_1_all.deb"
wheel=$("$repository/tests/end-to-end/make-wheel" "$work/packages/links" words 1.0)
chmod -R u=rwX,go=rX "$work/packages"
export COGPACK_DEBS=$work/packages/debs PIP_FIND_LINKS=$work/packages/links
cat >"$project/plan.cpk" <<END_OF_PLAN
cpk 1

context @files = dir "files"

context @system = debs {
  deb "tiny_1_all.deb" {
    hash sha256:$(sha256sum "$work/packages/debs/tiny_1_all.deb" | cut -d ' ' -f 1)
  }
}

context @wheels = wheels {
  python "3.11"
  wheel "words-1.0-py3-none-any.whl" {
    hash sha256:$wheel
  }
}

stage %app from scratch {
  copy contents "." from @files to "/app"
  copy contents "." from @system to "/system"
  copy contents "." from @wheels to "/python"
  file "/note" = "written by the plan"
  mkdir "/made" mode 0750
}

export from %app
END_OF_PLAN
sed -e 's/^context @files/image @base = "base"\n\n&/' -e 's/^stage %app from scratch/stage %app from image @base/' \
	-e 's|^  mkdir "/made".*|&\n  run "mkdir /run-made \&\& cat /app/*.txt >/run-made/all \&\& id >/run-made/id \&\& chmod 700 /run-made"|' \
	"$project/plan.cpk" >"$project/programs.cpk"

# in_order FROM TO SORT...: a copy whose files are made in the order that SORT gives, dated now.
in_order() {
	local from=$1 to=$2
	shift 2
	mkdir "$to"
	(cd "$from" && find . -print0 | "$@" -z | tar -c --null --no-recursion --files-from=- --sort=none -f -) |
		tar -C "$to" -xmpf - --same-permissions --same-owner
}

# builds_at WHAT DIRECTORY SETTING...: makes every kind of image there, under these settings.
builds_at() {
	local what=$1 at=$2
	shift 2
	mkdir "$at/out"
	chmod 777 "$at/out"
	# Packages are kept in a store, whoever makes the image.
	exits "$what: -o oci" 0 "$@" env "COGPACK_STORE=$at/out/packages" \
		"$cogpackc" "$at/project/plan.cpk" -o oci -O "$at/out/oci"
	exits "$what: build" 0 "$@" "$cogpackc" build "$at/project" --builder direct --store "$at/out/store" \
		--output "type=layout,dest=$at/out/build" --progress quiet
	sums "$at/out/oci" >"$work/sums.oci"
	sums "$at/out/build" >"$work/sums.build"
	[ -e "$work/expected.oci" ] || cp "$work/sums.oci" "$work/expected.oci"
	[ -e "$work/expected.build" ] || cp "$work/sums.build" "$work/expected.build"
	exits "$what: both are one image" 0 diff "$work/sums.oci" "$work/sums.build"
	for kind in oci build; do exits "$what: the same $kind" 0 diff "$work/expected.$kind" "$work/sums.$kind"; done
}

# runs_at WHAT DIRECTORY STORE SETTING...: the same with a program, which takes root.
runs_at() {
	local what=$1 at=$2 store=$3
	shift 3
	exits "$what: build with a program" 0 "$@" "$cogpackc" build "$at/project/programs.cpk" --builder direct \
		--layout "base=$work/base" --store "$store" --output "type=layout,dest=$at/out/run" --progress quiet
	sums "$at/out/run" >"$work/sums.run"
	[ -e "$work/expected.run" ] || cp "$work/sums.run" "$work/expected.run"
	exits "$what: the same image" 0 diff "$work/expected.run" "$work/sums.run"
}

# sums LAYOUT: what is in it, to the byte; a layout named by another plan only differs in that.
sums() { (cd "$1" && find . -type f -print0 | sort -z | xargs -0 sha256sum); }

matches 'the disk is another kind of filesystem' '^(ext[234]|xfs|btrfs)' stat --file-system --format %T "$work/disk"
in_order "$project" "$work/disk/project" sort
in_order "$project" "$work/memory/project" sort -r
in_order "$project" "$work/layers/files-aside" shuf
# Half of it lies in the lower layer, half was written over it.
rm -r "$work/layers/project/files/Straße"
mv "$work/layers/files-aside/files/Straße" "$work/layers/project/files/"
rm -r "$work/layers/files-aside"

umask 022
builds_at 'root on the disk' "$work/disk" env LC_ALL=C TZ=UTC
runs_at 'root on the disk' "$work/disk" "$work/disk/store" env LC_ALL=C TZ=UTC
umask 077
later=(env LC_ALL=tr_TR.UTF-8 LANG=tr_TR.UTF-8 TZ=Pacific/Kiritimati COLUMNS=47 faketime -f '+9y')
builds_at 'root in memory, years later' "$work/memory" "${later[@]}"
runs_at 'root in memory, years later' "$work/memory" "$work/memory/store" "${later[@]}"
umask 002
other=(env HOME=/nonexistent LC_ALL=C.UTF-8 setpriv --reuid 12345 --regid 23456 --clear-groups)
builds_at 'another user on an overlay' "$work/layers" "${other[@]}"
# No overlay takes another one to write into, so the store is elsewhere.
runs_at 'root on an overlay, before 1980' "$work/layers" "$work/disk/another-store" env faketime '1979-12-31 23:59:59'

#!/usr/bin/env bash
# What is made without a daemon is an image to everyone who takes images: skopeo, umoci, the
# image-spec's own validator, both engines, and a runtime.
# shellcheck source-path=SCRIPTDIR source=support.bash
. "$(dirname "$0")/support.bash"
needs_daemon
needs_root_and_a_runtime

cogpackc=${COGPACK_TEST_BINARY:?tests/run builds it and says where it is}
"$repository/tests/rig/rig" need oci-image-tool
image=cogpack-test/hazards tag=takers-$$

# An image with all that a layer can hold and every tool has to make of it: names that need PAX records,
# links, setuid, a pipe, a device, what a later layer takes away, and what it puts in its place.
shell_root "$work/root" sh cat mkdir rm ln mkfifo mknod sha256sum find
long=$(printf 'n%.0s' {1..200})
mkdir -p "$work/root/share/$long/$long"
echo deep >"$work/root/share/$long/$long/Straße"
echo hidden >"$work/root/share/hidden"
echo linked >"$work/root/share/one"
ln "$work/root/share/one" "$work/root/share/two"
chmod 4755 "$work/root/share/one"
cat >"$work/compiled.cpk" <<'END_OF_PLAN'
cpk 1

context @root = dir "root"

stage %base from scratch {
  copy contents "libraries" from @root to "/"
  copy contents "bin" from @root to "/bin"
  copy contents "share" from @root to "/share"
  mkdir "/work" owner 1000:1000
}

export from %base {
  cmd ["cat", "/share/one"]
  annotation org.example.made = "compiled"
  annotation plain = "1"
}
END_OF_PLAN
cat >"$work/built.cpk" <<'END_OF_PLAN'
cpk 1

image @base = "base"

stage %app from image @base {
  run "rm /share/hidden; mkfifo /work/pipe; mknod /work/null c 1 3; ln /share/one /work/three"
  run "rm -r /share/n*; mkdir /share/next; echo by a program >/share/next/said"
  file "/share/added" = "added"
}

export from %app {
  cmd ["cat", "/share/next/said"]
  annotation org.example.made = "built"
}
END_OF_PLAN

# is_taken NAME SAYS ANNOTATIONS: everyone takes `$work/NAME.tar`, and who runs it says this.
is_taken() {
	local name=$1 says=$2 annotations=$3 layout=$work/$1
	mkdir "$layout"
	tar -C "$layout" -xf "$layout.tar"
	exits "$name: the validator takes it" 0 oci-image-tool validate --type image --ref "name=$tag" "$layout"
	matches "$name: skopeo reads it" '"Architecture"' skopeo inspect "oci:$layout:$tag"
	skopeo inspect --raw "oci:$layout:$tag" >"$work/$name.manifest"
	prints "$name: and shows the annotations of its plan, of no base" "$annotations" \
		python3 -c 'import json, sys; print(json.load(open(sys.argv[1]))["annotations"])' "$work/$name.manifest"
	exits "$name: skopeo copies it, digests and all" 0 \
		skopeo copy --preserve-digests "oci:$layout:$tag" "oci:$work/copied-$name:$tag"
	exits "$name: umoci unpacks it" 0 umoci unpack --image "$layout:$tag" "$work/bundle-$name"
	prints "$name: crun runs it" "$says" "$repository/tests/rig/run-oci" "$layout:$tag"
	on_each_engine loads
}

# loads ENGINE: that engine takes the archive `is_taken` speaks of, and runs the image.
loads() {
	matches "$name: the $1 engine loads it" "Loaded image: $image:$tag" docker load --input "$work/$name.tar"
	prints "$name: the $1 engine runs it" "$says" docker run --rm --network "$COGPACK_TEST_NETWORK" "$image:$tag"
	docker image rm --force "$image:$tag" >/dev/null
}

exits 'an image is compiled' 0 "$cogpackc" "$work/compiled.cpk" -o oci -O "$work/compiled.tar" --tag "$image:$tag"
is_taken compiled linked "{'org.example.made': 'compiled', 'plain': '1'}"
# What umoci unpacks is what went in.
exits 'compiled: every file is what went in' 0 diff -r "$work/root/share" "$work/bundle-compiled/rootfs/share"
prints 'compiled: owners are kept' 1000:1000 stat --format %u:%g "$work/bundle-compiled/rootfs/work"
prints 'compiled: modes are kept' 4755 stat --format %a "$work/bundle-compiled/rootfs/share/one"
prints 'compiled: hard links are kept' 2 stat --format %h "$work/bundle-compiled/rootfs/share/two"

exits 'an image is built on it' 0 "$cogpackc" build "$work/built.cpk" --builder direct --layout "base=$work/compiled:$tag" \
	--store "$work/store" --output "type=oci,dest=$work/built.tar" --tag "$image:$tag" --progress quiet
is_taken built 'by a program' "{'org.example.made': 'built'}"
root=$work/bundle-built/rootfs
exits 'built: what was taken away is gone' 1 sh -c "ls -d '$root'/share/hidden '$root'/share/n[!e]* 2>/dev/null | grep ."
prints 'built: pipes are kept' fifo stat --format %F "$root/work/pipe"
prints 'built: devices are kept' '1,3' stat --format %Hr,%Lr "$root/work/null"
prints 'built: hard links are kept' 2 stat --format %h "$root/work/three"

# Several images in one layout: everyone takes each by its whole name.
cat >"$work/other.cpk" <<'END_OF_PLAN'
cpk 1

context @root = dir "root"

stage %other from scratch {
  copy contents "libraries" from @root to "/"
  copy contents "bin" from @root to "/bin"
  file "/said" = "by the other\n"
}

export from %other {
  cmd ["cat", "/said"]
}
END_OF_PLAN
both=$work/both one=$image:$tag other=cogpack-test/other:$tag
exits 'two images are compiled' 0 "$cogpackc" "$work/compiled.cpk" "$work/other.cpk" -o oci -O "$both" -t "$one" -t "$other"
exits 'and archived' 0 "$cogpackc" "$work/compiled.cpk" "$work/other.cpk" -o oci -O "$both.tar" -t "$one" -t "$other"
exits 'both: the validator takes them' 0 oci-image-tool validate --type image "$both"
for name in "$one" "$other"; do
	exits "both: skopeo copies $name" 0 skopeo copy --preserve-digests "oci:$both:docker.io/$name" "oci:$work/copied-both:${name//[:\/]/-}"
	exits "both: skopeo copies $name out of the archive" 0 \
		skopeo copy --preserve-digests "oci-archive:$both.tar:docker.io/$name" "oci:$work/archived:${name//[:\/]/-}"
	exits "both: umoci unpacks $name" 0 umoci unpack --image "$both:docker.io/$name" "$work/bundle-${name//[:\/]/-}"
done
# both_load ENGINE: that engine takes the archive, and runs both.
both_load() {
	exits "both: the $1 engine loads them" 0 docker load --input "$both.tar"
	prints "both: the $1 engine runs the one" linked docker run --rm --network "$COGPACK_TEST_NETWORK" "$one"
	prints "both: the $1 engine runs the other" 'by the other' docker run --rm --network "$COGPACK_TEST_NETWORK" "$other"
	docker image rm --force "$one" "$other" >/dev/null
}
on_each_engine both_load

# The other compressions. Zstandard came to image-spec 1.1, and its validator and umoci here are older; the
# older engine does not know it either.
for name in none zstd; do
	exits "an image is compiled with compression $name" 0 "$cogpackc" "$work/compiled.cpk" -o oci -O "$work/$name.tar" \
		--tag "$image:$tag" --compression "$name"
	mkdir "$work/$name"
	tar -C "$work/$name" -xf "$work/$name.tar"
	exits "$name: skopeo copies it, digests and all" 0 \
		skopeo copy --preserve-digests "oci:$work/$name:$tag" "oci:$work/copied-$name:$tag"
done
exits 'none: the validator takes it' 0 oci-image-tool validate --type image --ref "name=$tag" "$work/none"
exits 'none: umoci unpacks it' 0 umoci unpack --image "$work/none:$tag" "$work/bundle-none"
exits 'none: every file is what went in' 0 diff -r "$work/root/share" "$work/bundle-none/rootfs/share"
prints 'none: crun runs it' linked "$repository/tests/rig/run-oci" "$work/none:$tag"
name=none says=linked
on_each_engine loads
name=zstd
(on_next_engine && loads newer)

#!/usr/bin/env bash
# What `cogpackc catalogue add` sees in an image without running anything of it is what its programs
# say: of a layout, and of a registry, whose digest stands in the entry.
# shellcheck source-path=SCRIPTDIR source=support.bash
. "$(dirname "$0")/support.bash"
needs_daemon

cogpackc=${COGPACK_TEST_BINARY:?tests/run builds it and says where it is}
export COGPACK_STORE=$work/store
image=$COGPACK_TEST_REGISTRY/base/python:3.11-slim
layout=$COGPACK_TEST_LAYOUTS/python:3.11-slim
cd "$work"

# of_entry FILE WORD...: what a catalogue says of its image.
of_entry() {
	python3 - "$@" <<-'END'
		import sys, tomllib
		found = tomllib.load(open(sys.argv[1], "rb"))["image"][0]
		for word in sys.argv[2:]:
		    found = found[word]
		print("\n".join(f"{name} {value}" for name, value in found.items()) if isinstance(found, dict) else found)
	END
}

same() { [ "$1" = "$2" ] || { printf '%s\n%s\n' "$1" "$2" | head -c 2000 && false; }; }

exits 'an image of a layout is looked into' 0 "$cogpackc" catalogue add base/python --layout "$layout" -O layout.toml
exits 'an image of a registry is looked into' 0 "$cogpackc" catalogue add "$image" -O registry.toml

exits 'umoci unpacks it' 0 umoci unpack --rootless --image "$layout" unpacked
packages=$(dpkg-query --admindir=unpacked/rootfs/var/lib/dpkg --show --showformat '${Package} ${Version}\n')
exits 'its packages are those that dpkg lists' 0 same "$(of_entry layout.toml packages)" "$(LC_ALL=C sort <<<"$packages")"
exits 'the registry has the same' 0 same "$(of_entry layout.toml packages)" "$(of_entry registry.toml packages)"

told=$(docker run --rm --network none "$image" python3 -c 'import platform, sys; print(platform.python_version(), sys.prefix)')
for catalogue in layout registry; do
	seen="$(of_entry "$catalogue.toml" python version) $(of_entry "$catalogue.toml" python prefix)"
	exits "the Python of the $catalogue is the one that runs" 0 same "$told" "$seen"
done
digest=$(curl --silent --fail --head --header 'Accept: application/vnd.oci.image.index.v1+json, application/vnd.oci.image.manifest.v1+json, application/vnd.docker.distribution.manifest.v2+json, application/vnd.docker.distribution.manifest.list.v2+json' \
	"http://$COGPACK_TEST_REGISTRY/v2/base/python/manifests/3.11-slim" | tr -d '\r' | sed -n 's/^[Dd]ocker-[Cc]ontent-[Dd]igest: //p')
exits 'the digest is the one of the registry' 0 same "$digest" "$(of_entry registry.toml digest)"
exits 'what was added is preferred' 0 bash -c '[[ $("$1" catalogue list --catalogue registry.toml | head -1) = "$2 "* ]]' - "$cogpackc" "$image"

# A project whose base nobody has pinned says how it is, and what it says works: what is written lies with
# the project, and its plans lean on no registry.
mkdir project
echo 'python = "3.11"' >project/cogpack.toml
echo 'print("hello")' >project/main.py
exits 'a project is planned' 0 "$cogpackc" plan project -O project.cpk
exits 'its base has a tag alone' 1 "$cogpackc" check --deny cpk::image::unpinned project.cpk
says='cogpackc catalogue add docker.io/library/python:3[.0-9]+-slim-trixie -O bases.toml'
exits 'and the way out is that of a project' 0 \
	bash -c '"$1" check project.cpk 2>&1 | tr -d "\n│" | tr -s " " | grep -E "$2"' - "$cogpackc" "$says"
cd project
exits 'an image of ones own is pinned' 0 "$cogpackc" catalogue add "$image" -O bases.toml
echo 'catalogue = ["bases.toml"]' >>cogpack.toml
cd ..
exits 'the project is planned again' 0 "$cogpackc" plan project -O project.cpk
prints 'its base has the digest' "  digest $digest" cat project.cpk
exits 'and nothing is open any more' 0 "$cogpackc" check --deny cpk::image::unpinned project.cpk
exits 'and it is compiled where there is no network' 0 unshare --net "$cogpackc" project -o llb -O project.llb
cp project.cpk asked.cpk
sed -i '/^image @base/,/^$/{/^  /d}' asked.cpk
exits 'the lines are those that the registry is asked for' 0 "$cogpackc" check --fix asked.cpk
exits 'and no others' 0 same "$(cat project.cpk)" "$(cat asked.cpk)"

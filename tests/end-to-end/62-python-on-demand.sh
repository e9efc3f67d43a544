#!/usr/bin/env bash
# A model on an image without Python: one is unpacked there from an archive that the catalogue names by
# its hash, and the model answers; and beside Debian packages alone, where nothing is run. Another archive at
# that address is refused.
# shellcheck source-path=SCRIPTDIR source=support.bash
. "$(dirname "$0")/support.bash"
needs_daemon

cogpackc=${COGPACK_TEST_BINARY:?tests/run builds it and says where it is}
export COGPACK_STORE=$work/store
cp -r "$repository/tests/models/greet" "$work/greet"
installs_uv

# An archive in the form of python-build-standalone's: the Python of the rig with the libraries that it
# needs, and in the place of its program a script that says where these are.
mkdir -p "$work/base" "$work/python/bin" "$work/python/lib" "$work/served"
exits 'the image with Python is there' 0 umoci unpack --rootless --image "$COGPACK_TEST_LAYOUTS/python:3.11-slim" "$work/base/of"
usr=$work/base/of/rootfs/usr
cp -a "$usr/lib/python3.11" "$work/python/lib/"
cp -a "$usr"/lib/*-linux-gnu/lib{bz2,crypto,expat,ffi,lzma,sqlite3,ssl,uuid,z}.so* "$work/python/lib/"
cp "$usr/bin/python3.11" "$work/python/lib/python3.11.program"
cat >"$work/python/bin/python3.11" <<'END'
#!/bin/bash
lib=$(dirname "$(readlink -f "$0")")/../lib
LD_LIBRARY_PATH=$lib exec -a "$0" "$lib/python3.11.program" "$@"
END
chmod 755 "$work/python/bin/python3.11"
tar -C "$work" -czf "$work/served/python.tar.gz" python
serve "$work/served"

# Of its distribution nothing is said that a package of Python would follow from.
cat >"$work/catalogue.toml" <<END
catalogue = 1

[[image]]
reference = "$COGPACK_TEST_REGISTRY/base/debian:bookworm-slim"
platforms = ["linux/amd64"]
roles = ["runtime"]
extent = "minimal"
os = { id = "debian", version = "" }

[[python]]
version = "3.11.2"
platform = "linux/amd64"
url = "http://127.0.0.1:$port/python.tar.gz"
digest = "sha256:$(sha256sum "$work/served/python.tar.gz" | cut -d' ' -f1)"
END
on_a_bare_base=(--base "$COGPACK_TEST_REGISTRY/base/debian:bookworm-slim" --catalogue "$work/catalogue.toml")

exits 'the model is locked' 0 "$cogpackc" lock "$work/greet" "${on_a_bare_base[@]}"
matches 'it is told that Python comes on demand' '^Python on demand: 3\.11\.2, unpacked to `/opt/python`$' \
	"$cogpackc" plan "$work/greet" "${on_a_bare_base[@]}" --why
prints 'nothing of it runs with a network' cpk sh -c '"$@" | head -c 3' sh \
	"$cogpackc" plan "$work/greet" "${on_a_bare_base[@]}" --no-network

network=(--network "$COGPACK_TEST_NETWORK")
prints 'it answers' 'good evening, Ada' "$cogpackc" predict "$work/greet" "${on_a_bare_base[@]}" \
	-i name=Ada --store "$work/store" --progress quiet "${network[@]}"

# Beside Debian packages alone. There is no shell to say where libraries are, so those that this Python needs, and
# an archive of python-build-standalone has built in, are packages too.
mkdir -p "$work/plain/python/bin"
cp -a "$work/python/lib" "$work/plain/python/"
cp "$usr/bin/python3.11" "$work/plain/python/bin/"
rm -r "$work/plain/python/lib/"*.so* "$work/plain/python/lib/python3.11.program"
tar -C "$work/plain" -czf "$work/served/plain.tar.gz" python
sed "s|/python.tar.gz|/plain.tar.gz|; s|^digest = .*|digest = \"sha256:$(sha256sum "$work/served/plain.tar.gz" | cut -d' ' -f1)\"|" \
	"$work/catalogue.toml" >"$work/plain.toml"
cp -r "$repository/tests/models/greet" "$work/beside"
cat >"$work/beside/cog.yaml" <<'END'
build:
  python_version: "3.11.2"
  system_packages: [libbz2-1.0, libexpat1, libffi8, liblzma5, libssl3t64]
run: "predict.py:Predictor"
environment: ["GREETING=good evening"]
END
beside=(--base debian --catalogue "$work/plain.toml")
on_nothing() {
	DOCKER_HOST=unix:///nowhere/docker.sock "$cogpackc" build "$work/beside" "${beside[@]}" --builder direct --no-network \
		--output "type=layout,dest=$1" --progress quiet
}
exits 'it lies beside Debian packages, without an engine or a registry' 0 on_nothing "$work/packages"
matches 'which is told' '^  no release of Debian has Python 3\.11\.2, and this archive of it has a hash$' \
	"$cogpackc" plan "$work/beside" "${beside[@]}" --why
exits 'and nothing is run for it' 1 sh -c '"$@" | grep -E "^ *(run|exec) "' sh "$cogpackc" plan "$work/beside" "${beside[@]}"
exits 'the same bytes come of it again' 0 on_nothing "$work/packages-again"
exits 'as they are' 0 diff -r "$work/packages" "$work/packages-again"

if [ "$(id -u)" = 0 ] && command -v crun >/dev/null; then
	prints 'it answers there' 'good evening, Ada' \
		"$cogpackc" predict "$work/packages" -i name=Ada --store "$work/store" --progress quiet
	direct=(--builder direct --layout "base=$COGPACK_TEST_LAYOUTS/debian:bookworm-slim")
	exits 'it is built without an engine too' 0 "$cogpackc" build "$work/greet" "${on_a_bare_base[@]}" "${direct[@]}" \
		--output "type=layout,dest=$work/layout" --progress quiet
	prints 'and answers' 'good evening, Ada' \
		"$cogpackc" predict "$work/layout" -i name=Ada --store "$work/store" --progress quiet
	# Not the bytes that the catalogue has the hash of.
	sed -i "s/^digest = .*/digest = \"sha256:$(printf 'another one' | sha256sum | cut -d' ' -f1)\"/" "$work/catalogue.toml"
	refuses 'another archive is no Python' cpk::packages::digest "$cogpackc" build "$work/greet" "${on_a_bare_base[@]}" "${direct[@]}" \
		--output "type=layout,dest=$work/other" --progress quiet
fi

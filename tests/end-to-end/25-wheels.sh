#!/usr/bin/env bash
# Wheels out of a package index, installed by us: the same files that uv leaves, by whichever way
# they are fetched and whoever makes the image, and the image's Python imports them.
# shellcheck source-path=SCRIPTDIR source=support.bash
. "$(dirname "$0")/support.bash"
needs_daemon

cogpackc=${COGPACK_TEST_BINARY:?tests/run builds it and says where it is}
tests=$repository/tests/end-to-end
base=$COGPACK_TEST_REGISTRY/base/python:3.11-slim
layout_option="python=$COGPACK_TEST_LAYOUTS/python:3.11-slim"
machine=$(uname -m)
for_image=(--only-binary :all: --implementation cp --python-version 3.11)
for name in manylinux1 manylinux2010 manylinux2014 manylinux_2_28; do for_image+=(--platform "${name}_$machine"); done
# What the machine says of packages is said to pip; each check says its own to us.
unset UV_FIND_LINKS UV_DEFAULT_INDEX UV_INDEX_URL
links_of_machine=${PIP_FIND_LINKS:-}
index_of_machine=${PIP_INDEX_URL:-}
as_machine() { env ${links_of_machine:+PIP_FIND_LINKS="$links_of_machine"} ${index_of_machine:+PIP_INDEX_URL="$index_of_machine"} "$@"; }
unset PIP_FIND_LINKS PIP_INDEX_URL

compile() { # STORE PLAN OUTPUT OPTION...
	COGPACK_STORE=$work/$1 "$cogpackc" "$2" -o oci -O "$3" --layout "$layout_option" "${@:4}"
}

python3 -m venv "$work/tools"
exits 'pip installs uv' 0 as_machine "$work/tools/bin/pip" install --quiet --disable-pip-version-check uv==0.13.9
exits 'pip downloads the wheels' 0 as_machine "$work/tools/bin/pip" download --quiet --disable-pip-version-check \
	--no-deps "${for_image[@]}" --dest "$work/links" --requirement "$tests/wheels.txt"
"$tests/write-wheels-plan" links "$work/links" "$base" >"$work/links.cpk"

(
	export PIP_FIND_LINKS=$work/links
	exits 'wheels out of a directory become a layer' 0 compile store "$work/links.cpk" "$work/by-links"
)
exits 'uv installs the same wheels' 0 "$work/tools/bin/uv" pip install --quiet --no-config --no-cache \
	--no-index --find-links "$work/links" --no-compile --no-deps --link-mode copy \
	--python /usr/bin/python3.11 --prefix "$work/by-uv" --requirement "$tests/wheels.txt"
exits 'every file is the one that uv leaves' 0 "$tests/compare-wheels" "$work/by-links" "$work/by-uv"
# Large ones with libraries of their own, as most models have them, where they are named.
if [ $# -gt 0 ]; then
	large=("$@")
	exits 'pip downloads large wheels' 0 as_machine "$work/tools/bin/pip" download --quiet --disable-pip-version-check \
		--no-deps "${for_image[@]}" --dest "$work/large" "${large[@]}"
	"$tests/write-wheels-plan" links "$work/large" "$base" >"$work/large.cpk"
	compile_large() { PIP_FIND_LINKS=$work/large compile store "$work/large.cpk" "$work/large-by-us" --compression none; }
	exits 'they become a layer' 0 compile_large
	exits 'uv installs them too' 0 "$work/tools/bin/uv" pip install --quiet --no-config --no-cache \
		--no-index --find-links "$work/large" --no-compile --no-deps --link-mode copy \
		--python /usr/bin/python3.11 --prefix "$work/large-by-uv" "${large[@]}"
	exits 'every file is the one that uv leaves' 0 "$tests/compare-wheels" "$work/large-by-us" "$work/large-by-uv"
	rm -r "$work/large" "$work/large-by-us" "$work/large-by-uv"
fi

by_daemon() {
	builds "wheels-$1" "$work/links.cpk" --store "$work/store" --output "type=tar,dest=$work/$1.tar"
	exits "the $1 engine has the same files" 0 "$tests/compare-wheels" "$work/$1.tar" "$work/by-uv"
	builds "wheels-again-$1" "$work/links.cpk" --store "$work/store" --output "type=tar,dest=$work/$1.tar"
	prints 'a second build runs nothing' '' steps_run "wheels-again-$1"
	exits 'and sends nothing' 1 grep '"event":"sent".*"bytes":[1-9]' "$(build_log "wheels-again-$1")"
}
on_each_engine by_daemon

mv "$work/links" "$work/away"
exits 'the store has them from then on' 0 compile store "$work/links.cpk" "$work/by-store"
exits 'and gives the same layout' 0 diff -r "$work/by-links" "$work/by-store"

# An index of our own, of the wheels that were downloaded.
mkdir -p "$work/web/simple" "$work/web/files"
for wheel in "$work/away"/*.whl; do
	file=${wheel##*/}
	name=$(printf '%s' "${file%%-*}" | tr 'A-Z_.' 'a-z--')
	ln "$wheel" "$work/web/files/$file"
	mkdir -p "$work/web/simple/$name"
	printf '<a href="../../files/%s">%s</a>\n' "$file" "$file" >>"$work/web/simple/$name/index.html"
done
serve "$work/web"
with_uv() { PATH=$work/tools/bin:$PATH UV_NO_CACHE=1 "$@"; }
(
	export PIP_INDEX_URL=http://reader:hunter2@127.0.0.1:$port/simple/
	exits 'wheels are found in the index that the machine names' 0 compile other "$work/links.cpk" "$work/by-index"
	exits 'and give the same layout' 0 diff -r "$work/by-links" "$work/by-index"
	mkdir "$work/lost"
	printf 'nobody has it' >"$work/lost/seven-1.0-py3-none-any.whl"
	"$tests/write-wheels-plan" links "$work/lost" "$base" >"$work/lost.cpk"
	refuses 'what the index lacks is refused' cpk::packages::missing \
		compile other "$work/lost.cpk" "$work/nothing"
	mkdir "$work/locked"
	printf '%s\n' 'six' >"$work/locked/requirements.txt"
	echo 'print("six")' >"$work/locked/main.py"
	exits 'a project is locked from there' 0 with_uv "$cogpackc" lock "$work/locked"
	matches 'which the lock says' "127.0.0.1:$port/files/six" cat "$work/locked/pylock.cog.toml"
	echo 'six==0.0.7' >"$work/locked/requirements.txt"
	refuses 'and not in a version that it lacks' project::lock::unsolvable with_uv "$cogpackc" lock "$work/locked"
	if grep -rq hunter2 "$work/refused" "$work/by-index" "$work/other" "$work/locked"; then
		printf 'not ok - the login of the index is in an output\n'
		exit 1
	fi
)

exits 'pip says where some wheels are' 0 as_machine "$work/tools/bin/pip" install --quiet --disable-pip-version-check \
	--dry-run --ignore-installed --no-deps "${for_image[@]}" --target "$work/none" --report "$work/report.json" \
	six==1.17.0 markupsafe==3.0.4 pluggy==1.7.0
"$tests/write-wheels-plan" report "$work/report.json" "$base" >"$work/report.cpk"
exits 'wheels are fetched from where the plan says' 0 compile third "$work/report.cpk" "$work/by-address"
sed 's/\(hash sha256:\)[0-7]/\18/; t; s/\(hash sha256:\)[89a-f]/\10/' "$work/report.cpk" >"$work/wrong.cpk"
refuses 'and refused where they are others' cpk::packages::digest compile fourth "$work/wrong.cpk" "$work/nothing"
exits 'of which nothing is kept' 0 test -z "$(find "$work/fourth/blobs" "$work/fourth/work" -type f -name '*' -not -name '*.lock')"

# The same on nothing, by builders that only read Dockerfiles: the eject holds what we have installed.
{
	printf 'platform linux/%s\n' "$(dpkg --print-architecture)"
	sed 's/^stage %app .*/stage %app from scratch {\n  env PATH = "\/usr\/bin"/; /^image @python/d' "$work/report.cpk"
} | sed '/^cpk 1$/d; 1i cpk 1' >"$work/alone.cpk"
COGPACK_STORE=$work/third exits 'wheels on nothing are an image' 0 "$cogpackc" "$work/alone.cpk" -o oci -O "$work/alone"
exits 'umoci unpacks it' 0 umoci unpack --image "$work/alone:latest" "$work/alone-by-us"
# A layer of wheels does not depend on what is under it: images on other bases share it.
sed 's|^image @python .*|image @python = "debian:bookworm-slim"|' "$work/report.cpk" >"$work/other-base.cpk"
COGPACK_STORE=$work/third exits 'so are they on another base' 0 "$cogpackc" "$work/other-base.cpk" -o oci -O "$work/other-base" \
	--layout "python=$COGPACK_TEST_LAYOUTS/debian:bookworm-slim"
last_layer() {
	python3 - "$1" <<-'END'
		import json, pathlib, sys
		layout = pathlib.Path(sys.argv[1])
		index = json.loads((layout / "index.json").read_text())
		manifest = json.loads((layout / "blobs" / index["manifests"][0]["digest"].replace(":", "/")).read_text())
		print(manifest["layers"][-1]["digest"])
	END
}
for image in other-base alone; do
	prints "the wheels are the same blob in $image" "$(last_layer "$work/by-address")" last_layer "$work/$image"
done
files_of "$work/alone-by-us/rootfs" >"$work/alone.files"
ejects() { # BUILDER DIALECT-OPTION...
	local builder=$1 image=localhost/cogpack-test/wheels-$1:$$ eject=$work/eject-$1
	shift
	COGPACK_STORE=$work/third exits "the wheels are ejected for $builder" 0 \
		"$cogpackc" "$work/alone.cpk" -o dockerfile "$@" -O "$eject"
	builds_as_it_says "$image" "$eject" "$eject"
	saves "ejected-$builder" "$image" "$builder"
	files_saved "ejected-$builder"
	exits 'and gives every file as we do' 0 diff "$work/alone.files" "$work/ejected-$builder.files"
}
PATH=$(dirname "${COGPACK_TEST_BUILDAH:?}"):$PATH
ejects buildkit-older --dialect buildkit --syntax none
ejects classic --dialect legacy
ejects buildah --dialect buildah
(
	on_next_engine
	ejects buildkit-newer --dialect buildkit
)

# A project with a lock file, of which the context is made. uv asks the index of the machine.
project=$work/project
mkdir "$project"
cat >"$project/pyproject.toml" <<'END'
[project]
name = "model"
version = "1"
requires-python = ">=3.10"
dependencies = ["flask==3.1.2", "pydantic==2.12.3", "colorama==0.4.6; sys_platform == 'win32'"]

[project.optional-dependencies]
serve = ["uvicorn[standard]==0.38.0"]
END
by_uv() { (cd "$project" && env ${index_of_machine:+UV_DEFAULT_INDEX="$index_of_machine"} "$work/tools/bin/uv" "$@"); }
locked() { "$cogpackc" lock wheels "$1" --python 3.11 --interpreter /usr/bin/python3.11 --as wheels "${@:3}" >"$2"; }
exits 'uv locks a project' 0 by_uv lock --quiet --no-config --python /usr/bin/python3.11
exits 'and writes the same for everyone else' 0 by_uv export --quiet --no-config --format pylock.toml \
	--no-emit-project --no-dev --extra serve --output-file pylock.toml
exits 'a uv.lock gives a set' 0 locked "$project/uv.lock" "$work/from-uv" --extra serve
exits 'a pylock.toml gives a set' 0 locked "$project/pylock.toml" "$work/from-pylock"
exits 'which is the same one' 0 diff "$work/from-uv" "$work/from-pylock"
"$tests/write-wheels-plan" context "$work/from-uv" "$base" >"$work/locked.cpk"
exits 'it becomes a layer' 0 compile store "$work/locked.cpk" "$work/by-lock"
exits 'uv installs what it has locked' 0 by_uv pip install --quiet --no-config --no-cache --no-compile --no-deps \
	--link-mode copy --python /usr/bin/python3.11 --prefix "$work/locked-by-uv" --requirement pylock.toml
exits 'every file is the one that uv leaves' 0 "$tests/compare-wheels" "$work/by-lock" "$work/locked-by-uv" 500

prints 'the image imports them' '6.0.3 27.0.1 ok' \
	"$repository/tests/rig/run-oci" "$work/by-links:latest" -- \
	python3 -c 'import yaml, gunicorn, flask, pydantic, orjson, cffi, zope.interface, google.protobuf, sphinxcontrib; print(yaml.__version__, gunicorn.__version__, orjson.loads(b"\"ok\""))'

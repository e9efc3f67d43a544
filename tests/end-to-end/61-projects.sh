#!/usr/bin/env bash
# Python projects without a cog.yaml: one of uv with its lock and a program, and one with requirements
# alone and a wheel of its own; and by what a project says of itself in one file alone. Each is built in this
# process or by the engine, which runs what came of it.
# shellcheck source-path=SCRIPTDIR source=support.bash
. "$(dirname "$0")/support.bash"
needs_daemon

cogpackc=${COGPACK_TEST_BINARY:?tests/run builds it and says where it is}
export COGPACK_STORE=$work/store

installs_uv

writes_catalogue "$work/catalogue.toml"

mkdir -p "$work/hosts/src/hosts" "$work/plain/wheels"
cat >"$work/hosts/pyproject.toml" <<'FILE'
[project]
name = "hosts"
version = "0.3.0"
requires-python = "==3.11.*"
dependencies = ["idna==3.10"]

[project.scripts]
hosts = "hosts.main:run"

[build-system]
requires = ["uv_build"]
build-backend = "uv_build"

[dependency-groups]
dev = ["six"]

[tool.cogpack]
catalogue = ["catalogue.toml"]
pre-install = ["scripts/before.sh"]
post-install = ["scripts/after.sh"]
FILE
cp "$work/catalogue.toml" "$work/hosts/"
mkdir "$work/hosts/scripts"
cat >"$work/hosts/scripts/before.sh" <<'FILE'
! python -c 'import idna' 2>/dev/null
echo before >/seen
FILE
cat >"$work/hosts/scripts/after.sh" <<'FILE'
python -c 'import idna; print("and after", idna.__version__)' >>/seen
FILE
cat >"$work/hosts/src/hosts/main.py" <<'FILE'
"""Prints a host's name in ASCII, and what the project says of itself."""

from importlib.metadata import version

import idna


def run() -> None:
    """The program."""
    print(version("hosts"), version("idna"), idna.encode("bücher.example").decode())
    print(open("/seen").read().replace("\n", " ").strip())
FILE
touch "$work/hosts/src/hosts/__init__.py"

# A wheel that somebody has made: an archive with a module and what is said of it.
python3 - "$work/plain/wheels/own-1.0-py3-none-any.whl" <<'FILE'
import base64, hashlib, sys, zipfile
with zipfile.ZipFile(sys.argv[1], "w") as wheel:
    files = {
        "own.py": 'WORD = "of its own"\n',
        "own-1.0.dist-info/METADATA": "Metadata-Version: 2.1\nName: own\nVersion: 1.0\n",
        "own-1.0.dist-info/WHEEL": "Wheel-Version: 1.0\nGenerator: hand\nRoot-Is-Purelib: true\nTag: py3-none-any\n",
    }
    for name, text in files.items():
        wheel.writestr(name, text)
    record = "own-1.0.dist-info/RECORD,,\n"
    for name, text in files.items():
        digest = base64.urlsafe_b64encode(hashlib.sha256(text.encode()).digest()).decode().rstrip("=")
        record += f"{name},sha256={digest},{len(text)}\n"
    wheel.writestr("own-1.0.dist-info/RECORD", record)
FILE
echo 3.11 >"$work/plain/.python-version"
printf '%s\n' './wheels/own-1.0-py3-none-any.whl' 'idna<4' >"$work/plain/requirements.txt"
cat >"$work/plain/main.py" <<'FILE'
"""Prints what both requirements say."""

import idna
import own

print(idna.decode("xn--bcher-kva"), own.WORD)
FILE

# runs NAME SAYS: built by this process, taken by the engine, and says this.
runs() {
	local image=cogpack-test/$1:$$
	builds "$1" "$work/$1" --catalogue "$work/catalogue.toml" --builder direct \
		--output "type=docker,dest=$work/$1.tar" --tag "$image"
	exits "the engine takes $1" 0 docker load --quiet --input "$work/$1.tar"
	prints "$1 runs" "$2" docker run --rm --network "$COGPACK_TEST_NETWORK" "$image"
	docker image rm --force "$image" >/dev/null
}

exits 'uv locks its project' 0 uv lock --quiet --project "$work/hosts"
cp "$work/hosts/uv.lock" "$work/uv.lock"
exits 'which needs no other lock' 0 "$cogpackc" lock "$work/hosts"
exits 'and keeps its own' 0 cmp "$work/uv.lock" "$work/hosts/uv.lock"
runs hosts '0.3.0 3.10 xn--bcher-kva.example'
runs hosts 'before and after 3.10'
exits 'no lock of ours was made' 1 test -e "$work/hosts/pylock.cog.toml"

# Its first build locks it.
runs plain 'bücher of its own'
builds plain-engine "$work/plain" --catalogue "$work/catalogue.toml" --output "type=tar,dest=$work/plain-engine.tar"
for side in plain plain-engine; do
	"$repository/tests/end-to-end/files-of" "$work/$side.tar" >"$work/$side.files"
done
exits 'an engine makes the same files of it' 0 diff "$work/plain.files" "$work/plain-engine.files"
exits 'the lock names the wheel by its path in the project' 0 \
	grep -F 'path = "./wheels/own-1.0-py3-none-any.whl"' "$work/plain/pylock.cog.toml"
exits 'and is up to date' 0 "$cogpackc" lock "$work/plain" --locked
cp -r "$work/plain" "$work/more"
echo 'six' >>"$work/more/requirements.txt"
refuses 'which it is not with one more requirement' project::lock::stale "$cogpackc" lock "$work/more" --locked
exits 'and stays as it was' 0 cmp "$work/plain/pylock.cog.toml" "$work/more/pylock.cog.toml"
exits 'what nobody has fetched cannot be locked offline' 2 \
	env "UV_CACHE_DIR=$work/no-cache" "$cogpackc" lock "$work/more" --offline
exits 'with an index it can' 0 "$cogpackc" lock "$work/more"
mv "$work/more/pylock.cog.toml" "$work/more.lock"
exits 'and then offline too' 0 "$cogpackc" lock "$work/more" --offline
exits 'which is the same' 0 cmp "$work/more.lock" "$work/more/pylock.cog.toml"
# Anybody's program, on a base that is an image and files that nobody can change.
nobody=cogpack-test/nobody:$$
builds nobody "$work/plain" --catalogue "$work/catalogue.toml" --user 1000:1000 --precompile --tag "$nobody"
prints 'nobody runs it where nothing can be written' 'bücher of its own' docker run --rm --read-only --cap-drop ALL \
	--network "$COGPACK_TEST_NETWORK" "$nobody"
prints 'with the byte code that came with it' 'True 1000' docker run --rm --read-only --cap-drop ALL --network "$COGPACK_TEST_NETWORK" \
	"$nobody" python -c 'import idna, os; print(os.path.exists(idna.__cached__), os.getuid())'
docker image rm --force "$nobody" >/dev/null
echo 'more' >>"$work/plain/wheels/own-1.0-py3-none-any.whl"
exits 'a wheel that has changed is not taken' 1 "$cogpackc" plan "$work/plain" --catalogue "$work/catalogue.toml"

# One file says all: pyproject.toml without a lock, setup.py, and a lock that another tool has written.
mkdir "$work/described" "$work/classic" "$work/locked"
cat >"$work/described/pyproject.toml" <<'FILE'
[project]
name = "described"
version = "0.1.0"
requires-python = "==3.11.*"
dependencies = ["idna==3.10"]

[project.scripts]
described = "described:run"
FILE
cat >"$work/classic/setup.py" <<'FILE'
from setuptools import setup

setup(name="classic", version="0.2.0", py_modules=["classic"], python_requires="==3.11.*", install_requires=["idna==3.10"],
      entry_points={"console_scripts": ["classic = classic:run"]})
FILE
for name in described classic; do
	printf 'import idna\n\n\ndef run() -> None:\n    print("%s", idna.encode("bücher.example").decode())\n' "$name" >"$work/$name/$name.py"
done
printf 'idna==3.10\n' >"$work/requirements.in"
exits 'another tool locks' 0 uv pip compile --quiet --no-config --format pylock.toml --python-version 3.11 \
	--output-file "$work/locked/pylock.toml" "$work/requirements.in"
echo 3.11 >"$work/locked/.python-version"
printf 'import idna\n\nprint("locked", idna.encode("bücher.example").decode())\n' >"$work/locked/main.py"
for name in described classic locked; do
	image=cogpack-test/$name:$$
	builds "$name" "$work/$name" --catalogue "$work/catalogue.toml" --tag "$image"
	prints "$name runs" "$name xn--bcher-kva.example" docker run --rm --network "$COGPACK_TEST_NETWORK" "$image"
	docker image rm --force "$image" >/dev/null
done

# Requirements that no versions keep are one thing, an index that does not answer another.
mkdir "$work/against"
printf '%s\n' 'flask==2.0.0' 'werkzeug==1.0' >"$work/against/requirements.txt"
printf '%s\n' 'command = ["flask"]' 'python = "3.11"' >"$work/against/cogpack.toml"
exits 'no versions keep the requirements' 1 "$cogpackc" lock "$work/against" --format json
mv "$work/output" "$work/refused"
matches 'by the code' '"code": "project::lock::unsolvable"' cat "$work/refused"
# said_of LINE: what is said of a line of the requirements.
said_of() {
	python3 - "$work/refused" "$1" <<'END'
import json, sys
(finding,) = json.load(open(sys.argv[1]))["findings"]
print(*(label["text"] for label in finding["labels"] if label["line"] == int(sys.argv[2])))
END
}
prints 'by the line of the one requirement' 'wants `flask==2.0.0`' said_of 1
prints 'and that of the other' 'wants `werkzeug==1.0`' said_of 2
matches 'and uv says why' 'because flask==2.0.0 depends on werkzeug>=2.0 ' cat "$work/refused"
echo 'flask==2.0.0' >"$work/against/requirements.txt"
exits 'an index does not answer' 2 env UV_HTTP_RETRIES=0 "UV_CACHE_DIR=$work/uv-cache" \
	UV_DEFAULT_INDEX=http://127.0.0.1:9/simple "$cogpackc" lock "$work/against"
mv "$work/output" "$work/against/said"
matches 'and that is what is said' 'could not look for versions' cat "$work/against/said"

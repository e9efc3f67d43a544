#!/usr/bin/env bash
# A model with packages that have only sources: one of Python alone and one with an extension in C from the
# package index, and a directory of the project; and one from a repository. They are built in an image
# with a compiler, by an engine and without one, and the image that answers has none.
# shellcheck source-path=SCRIPTDIR source=support.bash
. "$(dirname "$0")/support.bash"
needs_daemon

cogpackc=${COGPACK_TEST_BINARY:?tests/run builds it and says where it is}
export COGPACK_STORE=$work/store
model=$work/model
compiler=$COGPACK_TEST_REGISTRY/base/python-with-compiler:$$

installs_uv

writes_catalogue "$work/catalogue.toml"
export COGPACK_CATALOGUE=$work/catalogue.toml

mkdir -p "$model/library"
printf '%s\n' 'docopt==0.6.2' 'crcmod==1.7' ./library >"$model/requirements.txt"
printf 'from setuptools import setup\nsetup(name="library", version="2.5", py_modules=["library"])\n' >"$model/library/setup.py"
printf 'WORD = "own"\n' >"$model/library/library.py"
printf 'build: {python_version: "3.11", python_requirements: requirements.txt}\nrun: "predict.py:predict"\n' >"$model/cog.yaml"
cat >"$model/predict.py" <<'FILE'
"""Asks each of the packages."""

import shutil

import crcmod.predefined
import docopt
import library
from crcmod.crcmod import _usingExtension


def predict(text: str) -> str:
    assert _usingExtension, "it is compiled"
    assert shutil.which("gcc") is None, "the image has no compiler"
    crc = crcmod.predefined.mkCrcFun("crc-8")(text.encode())
    size = docopt.docopt("Usage: it [--size=N]", argv=["--size=5"])["--size"]
    return f"{crc} {size} {library.WORD}"
FILE

prints 'the lock names what is built' \
	"$model/pylock.cog.toml has 13 packages, of which these are built from sources: crcmod, docopt, library" \
	sh -c '"$1" lock "$2" 2>&1 | sed "s/has [0-9]* packages/has 13 packages/"' sh "$cogpackc" "$model"
refuses 'without an image with a compiler nothing is built' project::base::nothing-to-build-in \
	"$cogpackc" plan "$model"

mkdir "$work/compiler"
cat >"$work/compiler/Dockerfile" <<END
FROM $COGPACK_TEST_REGISTRY/base/python:3.11-slim
RUN apt-get update -qq && apt-get install -qqy --no-install-recommends gcc libc6-dev python3-dev >/dev/null && rm -rf /var/lib/apt/lists/*
END
exits 'an image has a compiler' 0 docker build --quiet --network "$COGPACK_TEST_NETWORK" --tag "$compiler" "$work/compiler"
exits 'and is in a registry' 0 docker push --quiet "$compiler"
cat >>"$work/catalogue.toml" <<END

[[image]]
reference = "$compiler"
platforms = ["linux/amd64"]
roles = ["build"]
extent = "development"
os = { id = "debian", version = "12", codename = "bookworm" }
python = { version = "3.11", interpreter = "/usr/bin/python3", prefix = "/usr" }

[image.packages]
gcc = ""
END
prints 'the build base is chosen by itself' "build base: $compiler" "$cogpackc" plan "$model" --why
refuses 'what is built needs a network' cpk::build::network "$cogpackc" plan "$model" --no-network
prints 'an engine builds them, and the model answers' '95 5 own' \
	"$cogpackc" predict "$model" --network "$COGPACK_TEST_NETWORK" --progress quiet -i text=abc
if [ "$(id -u)" = 0 ] && command -v crun >/dev/null; then
	prints 'so does this process' '95 5 own' \
		"$cogpackc" predict "$model" --builder direct --progress quiet -i text=abc
	exits 'with symbols they are there' 0 "$cogpackc" build "$model" --builder direct --output "type=layout,dest=$work/whole" --progress quiet
	echo 'strip = true' >"$model/cogpack.toml"
	stripped() { "$cogpackc" build "$model" --builder direct --no-cache --output "type=layout,dest=$1" --progress quiet; }
	exits 'without symbols they are built' 0 stripped "$work/one"
	exits 'and built again' 0 stripped "$work/two"
	exits 'to the same bytes' 0 diff -r "$work/one" "$work/two"
	# The extension in C as the image has it: what debuggers want is in sections of such names.
	extension() {
		for blob in "$1"/blobs/sha256/*; do
			tar --extract --to-stdout --wildcards '*/_crcfunext*.so' --file "$blob" 2>/dev/null || true
		done
	}
	extension "$work/whole" >"$work/with-symbols.so"
	extension "$work/one" >"$work/without.so"
	exits 'a library has symbols for debuggers' 0 grep --text --quiet '\.debug_info' "$work/with-symbols.so"
	exits 'and without them is one still' 0 grep --text --quiet '\.dynsym' "$work/without.so"
	exits 'but has none' 1 grep --text --quiet '\.debug_info' "$work/without.so"
fi

# A repository, of which the builder fetches one commit.
program=$work/program
mkdir -p "$program" "$work/git/words"
printf 'from setuptools import setup\nsetup(name="words", version="1.0", py_modules=["words"])\n' >"$work/git/words/setup.py"
printf 'WORD = "of a repository"\n' >"$work/git/words/words.py"
git -C "$work/git/words" init --quiet
git -C "$work/git/words" add .
git -C "$work/git/words" -c user.name=Test -c user.email=test@localhost commit --quiet --message first
port=$(python3 -c 'import socket; s = socket.socket(); s.bind(("127.0.0.1", 0)); print(s.getsockname()[1])')
git daemon --listen=127.0.0.1 --port="$port" --base-path="$work/git" --export-all --reuseaddr 2>"$work/errors" &
served=$!
cat >"$program/pylock.toml" <<END
lock-version = "1.0"
created-by = "a test"

[[packages]]
name = "words"
version = "1.0"
vcs = { type = "git", url = "git://127.0.0.1:$port/words", commit-id = "$(git -C "$work/git/words" rev-parse HEAD)" }
END
echo 3.11 >"$program/.python-version"
printf 'import words\n\nprint(words.WORD)\n' >"$program/main.py"
image=cogpack-test/of-a-repository:$$
builds repository "$program" --tag "$image"
prints 'what is in the repository runs' 'of a repository' docker run --rm --network "$COGPACK_TEST_NETWORK" "$image"
if [ "$(id -u)" = 0 ] && command -v crun >/dev/null; then
	without_a_daemon() { "$cogpackc" build "$program" --builder direct --progress quiet --output "type=docker,dest=$work/program.tar" --tag "$image-direct"; }
	exits 'without a daemon it is fetched and built too' 0 without_a_daemon
	exits 'and the engine takes it' 0 docker load --quiet --input "$work/program.tar"
	prints 'what is in the repository runs there' 'of a repository' docker run --rm --network "$COGPACK_TEST_NETWORK" "$image-direct"
	docker image rm --force "$image-direct" >/dev/null
fi
# uv asks a repository for the commit of a branch, and the lock holds it. The address is of no machine: git
# is told where it leads.
mkdir "$work/wanting"
git -C "$work/git/words" branch --quiet release
printf 'words @ git+https://git.example/words@release\n' >"$work/wanting/requirements.txt"
cp "$program/main.py" "$program/.python-version" "$work/wanting"
export GIT_CONFIG_COUNT=1 GIT_CONFIG_KEY_0=url.git://127.0.0.1:$port/.insteadOf GIT_CONFIG_VALUE_0=https://git.example/
exits 'a repository is locked' 0 "$cogpackc" lock "$work/wanting"
matches 'by its commit' "commit-id = \"$(git -C "$work/git/words" rev-parse HEAD)\"" cat "$work/wanting/pylock.cog.toml"
matches 'and planned by it' "commit $(git -C "$work/git/words" rev-parse HEAD)" "$cogpackc" plan "$work/wanting"
kill "$served"
docker image rm --force "$image" "$compiler" >/dev/null

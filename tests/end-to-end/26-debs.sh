#!/usr/bin/env bash
# Images out of a package archive alone: no daemon, no registry, and nothing is run to make them.
# What we leave is compared with what dpkg has installed; the example model runs on it.
# shellcheck source-path=SCRIPTDIR source=support.bash
. "$(dirname "$0")/support.bash"
needs_daemon

cogpackc=${COGPACK_TEST_BINARY:?tests/run builds it and says where it is}
tests=$repository/tests/end-to-end
example=$repository/examples/language-detector
export COGPACK_STORE=$work/store
unset COGPACK_DEBS COGPACK_APT

# lock FILE PACKAGE...: the context `@system`, out of the archives that this machine names.
lock() {
	local file=$1
	shift
	"$cogpackc" lock debs --suite bookworm --platform "linux/$(dpkg --print-architecture)" "$@" >"$file"
}

exits 'umoci unpacks an image that dpkg has made' 0 \
	umoci unpack --image "$COGPACK_TEST_LAYOUTS/python:3.11-slim" "$work/by-dpkg"
mapfile -t packages < <(dpkg-query --admindir="$work/by-dpkg/rootfs/var/lib/dpkg" --show --showformat '${Package}\n')
exits 'its packages are locked' 0 lock "$work/all.cpk" "${packages[@]}"
{
	printf 'cpk 1\nplatform linux/%s\n' "$(dpkg --print-architecture)"
	cat "$work/all.cpk"
	printf 'export from @system { cmd ["python3"] }\n'
} >"$work/plan.cpk"
exits 'they become an image' 0 "$cogpackc" "$work/plan.cpk" -o oci -O "$work/layout"
exits 'umoci unpacks it' 0 umoci unpack --image "$work/layout:latest" "$work/by-us"
exits 'every file is the one that dpkg leaves' 0 "$tests/compare-debs" "$work/by-dpkg/rootfs" "$work/by-us/rootfs"
exits 'ldconfig has nothing to add' 0 ldconfig -r "$work/by-us/rootfs" -C /cache-of-ldconfig -X
exits 'and writes the same cache' 0 cmp "$work/by-us/rootfs/etc/ld.so.cache" "$work/by-us/rootfs/cache-of-ldconfig"

exits 'the packages of the example are locked' 0 lock "$work/system.cpk" \
	base-files base-passwd ca-certificates python3 tini --without debconf --without dpkg
if grep -q '"\(debconf\|dpkg\)_' "$work/system.cpk"; then
	printf 'not ok - what was to be left out is in the set\n'
	exit 1
fi
sed "s|^platform .*|platform linux/$(dpkg --print-architecture)|" "$example/from-packages.cpk.in" >"$work/from-packages.cpk"
cat "$work/from-packages.cpk" "$work/system.cpk" >"$work/example.cpk"
build() { (cd "$example" && "$cogpackc" - -o oci -O "$1" <"$work/example.cpk"); }
# `exits` gives commands no input of their own.
build_from_store() {
	(
		export http_proxy=http://127.0.0.1:9 https_proxy=http://127.0.0.1:9
		build "$1"
	)
}
exits 'the example is built on them' 0 build "$work/example"
exits 'and again out of the store, without a network' 0 build_from_store "$work/again"
exits 'to the same bytes' 0 diff -r "$work/example" "$work/again"
prints 'crun runs it' 'de True' \
	"$repository/tests/rig/run-oci" "$work/example:latest" -- \
	python3 -c 'import predict, ssl; p = predict.Predictor(); p.setup(); print(p.run("Wo ist denn hier der Bahnhof?"), len(ssl.create_default_context().get_ca_certs()) > 100)'

exits 'a package with a script that nobody knows is locked' 0 lock "$work/unknown.cpk" openssh-client --without passwd
{
	printf 'cpk 1\nplatform linux/%s\n' "$(dpkg --print-architecture)"
	cat "$work/unknown.cpk"
	printf 'export from @system { cmd ["ssh"] }\n'
} >"$work/plan.cpk"
refuses 'and refused' cpk::debs::script "$cogpackc" "$work/plan.cpk" -o oci -O "$work/nothing"
matches 'with its script' 'chgrp _ssh /usr/bin/ssh-agent' cat "$work/refused"

# An index that somebody has changed on the way.
mkdir -p "$work/web/dists/bookworm"
archive=$("$cogpackc" lock debs --suite bookworm tini --without libc6 | sed -n 's|^ *url "\(.*\)/pool/.*|\1|p')
exits 'an index is fetched' 0 curl --silent --fail --output "$work/web/dists/bookworm/InRelease" "$archive/dists/bookworm/InRelease"
sed -i 's/^Codename: bookworm/Codename: woodworm/' "$work/web/dists/bookworm/InRelease"
serve "$work/web"
exits 'and refused where it is another than was signed' 2 "$cogpackc" lock debs --suite bookworm tini \
	--mirror "http://127.0.0.1:$port" --keyring /usr/share/keyrings/debian-archive-keyring.gpg
mv "$work/output" "$work/refused"
matches 'by its signature' 'is not to be trusted' cat "$work/refused"

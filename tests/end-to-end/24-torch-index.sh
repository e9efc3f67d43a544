#!/usr/bin/env bash
# Builds of torch that only its own index has are locked from there, by the address that the table of
# frameworks has. It may be out of reach, so a proxy, as a machine may have one, serves `torch-index` in its
# place, whose README says what its files are of; all other packages are those of the package index. What
# comes of it are the locks that tests/frameworks keeps.
# shellcheck source-path=SCRIPTDIR source=support.bash
. "$(dirname "$0")/support.bash"

if [ -n "${HTTPS_PROXY:-}${https_proxy:-}${ALL_PROXY:-}${all_proxy:-}" ]; then
	echo 'skipped: this machine has a proxy of its own, and one stands in for the index here'
	exit 77
fi
cogpackc=${COGPACK_TEST_BINARY:?tests/run builds it and says where it is}
index=download.pytorch.org
installs_uv
# It would look for a Python of the version that is locked for, which nothing here needs; and what it keeps
# of the index is of this test.
export UV_PYTHON_DOWNLOADS=never UV_CACHE_DIR=$work/cache

# An authority of this test, whom uv trusts beside those of the machine, says that this is the index.
authorities=${SSL_CERT_FILE:-/etc/ssl/certs/ca-certificates.crt}
openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -days 2 -subj '/O=Of a test/CN=An authority' \
	-addext keyUsage=critical,keyCertSign -keyout "$work/authority.key" -out "$work/authority.pem" 2>/dev/null
openssl req -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -subj /CN=server -keyout "$work/server.key" 2>/dev/null |
	openssl x509 -req -CA "$work/authority.pem" -CAkey "$work/authority.key" -CAcreateserial -days 2 \
		-extfile <(echo "subjectAltName=DNS:$index") -out "$work/server.pem" 2>/dev/null
cat "$authorities" "$work/authority.pem" >"$work/authorities.pem"
"$repository/tests/end-to-end/serve-in-place" "$index" "$repository/tests/end-to-end/torch-index" \
	"$work/server.pem" "$work/server.key" >"$work/port" 2>"$work/requests" &
server=$!
trap 'kill "$server"; rm -rf --one-file-system "$work"' EXIT
for _ in $(seq 300); do [ ! -s "$work/port" ] || break; sleep 0.1; done
HTTPS_PROXY=http://127.0.0.1:$(cat "$work/port")
export HTTPS_PROXY SSL_CERT_FILE=$work/authorities.pem

# wheels_of LOCK: its packages, and of those whose versions torch fixes the files with their hashes. Other
# packages may have new files, or lose a version, which is no fault of a lock.
wheels_of() {
	python3 - "$1" <<'END'
import sys, tomllib
for package in tomllib.load(open(sys.argv[1], "rb"))["packages"]:
    print(package["name"])
    if package["name"].startswith(("torch", "triton", "nvidia-")):
        for wheel in package["wheels"]:
            print(" ", package["version"], wheel["url"].rsplit("/", 1)[1], wheel["hashes"]["sha256"])
END
}

# locks NAME BUILD FILE...: the model gets the lock that it has, with these files of that index, and of each that
# index is asked for its package's page and its metadata, and for nothing else.
locks() {
	local name=$1 build=$2 file package
	shift 2
	cp -r "$repository/tests/frameworks/$name" "$work/$name"
	: >"$work/requests"
	exits "$name is locked" 0 "$cogpackc" lock "$work/$name"
	exits 'which is up to date then' 0 "$cogpackc" lock "$work/$name" --locked
	wheels_of "$repository/tests/frameworks/$name/pylock.cog.toml" >"$work/kept"
	wheels_of "$work/$name/pylock.cog.toml" >"$work/made"
	exits 'it is the lock that is kept' 0 diff "$work/kept" "$work/made"
	: >"$work/wanted"
	for file; do
		package=${file##*/}
		prints "$package is of that index" "https://$index/whl/$file" grep -o "https://$index/[^\"]*" "$work/$name/pylock.cog.toml"
		printf '%s\n' "/whl/$build/${package%%-*}/" "/whl/$file.metadata" >>"$work/wanted"
	done
	sed -nE 's/.*"GET ([^ ]*) .*/\1/p' "$work/requests" | sort >"$work/asked"
	sort -o "$work/wanted" "$work/wanted"
	exits 'which was asked for nothing else' 0 diff "$work/wanted" "$work/asked"
}

locks torch-cpu cpu cpu/torch-2.8.0%2Bcpu-cp313-cp313-manylinux_2_28_x86_64.whl
locks torch-cuda-12.9 cu129 cu129/torch-2.8.0%2Bcu129-cp313-cp313-manylinux_2_28_x86_64.whl \
	triton-3.4.0-cp313-cp313-manylinux_2_27_x86_64.manylinux_2_28_x86_64.whl

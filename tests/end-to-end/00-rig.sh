#!/usr/bin/env bash
# The ground that the other scripts stand on: the engines, the registry and the base images
# work, and so do the tools that look at images without an engine.
# shellcheck source-path=SCRIPTDIR source=support.bash
. "$(dirname "$0")/support.bash"
needs_daemon

python=$COGPACK_TEST_REGISTRY/base/python:3.11-slim
python_layout=$COGPACK_TEST_LAYOUTS/python:3.11-slim
debian_layout=$COGPACK_TEST_LAYOUTS/debian:bookworm-slim
run_oci=$repository/tests/rig/run-oci

matches 'skopeo reads the layout of the Python base image' '"Architecture": "(amd64|arm64)"' \
	skopeo inspect "oci:$python_layout"
prints 'the registry holds the image of the layout' "$(skopeo inspect --format '{{.Digest}}' "oci:$python_layout")" \
	skopeo inspect --tls-verify=false --format '{{.Digest}}' "docker://$python"
prints 'the Python base image stands on the Debian one' "$(skopeo inspect --format '{{index .Layers 0}}' "oci:$debian_layout")" \
	skopeo inspect --format '{{index .Layers 0}}' "oci:$python_layout"

prints 'crun runs Python in the unpacked layout' 42 \
	"$run_oci" "$python_layout" -- python -c 'print(6 * 7)'
prints 'runc does so as well' 42 \
	"$run_oci" --runtime runc "$python_layout" -- python -c 'print(6 * 7)'
exits 'run-oci gives back the exit status' 7 "$run_oci" "$debian_layout" -- sh -c 'exit 7'

cat >"$work/Dockerfile" <<END
FROM $python
RUN --mount=type=cache,target=/root/.cache apt-get -q update && apt-get -qy install hello
RUN pip download --quiet --no-deps --dest /downloads six
COPY Dockerfile /Dockerfile
CMD hello
END

# engine_works WHICH VERSION: whatever the other scripts ask of an engine.
engine_works() {
	local which=$1 version=$2 network=(--network "$COGPACK_TEST_NETWORK") image=$COGPACK_TEST_REGISTRY/test/hello:$$
	prints "the $which engine is the one that is announced" "$version" docker version --format '{{.Server.Version}}'
	matches "the $which engine runs the Python base image" '^Python 3\.11\.' \
		docker run --rm "${network[@]}" "$python" python --version
	exits "the $which engine gives back the exit status" 7 docker run --rm "${network[@]}" "$python" sh -c 'exit 7'
	exits "a build with the $which engine reaches the package archives" 0 \
		docker build --no-cache "${network[@]}" --tag "$image" "$work"
	prints 'the image it made runs' 'Hello, world!' docker run --rm "${network[@]}" "$image"
	exits 'and goes into the registry' 0 docker push "$image"
	docker image rm "$image" >/dev/null
	prints 'and comes back from it' 'Hello, world!' docker run --rm "${network[@]}" "$image"
	docker image rm "$image" >/dev/null
	# What an HTTP/2 server says first is a frame of its settings, which is type 4.
	prints "the BuildKit of the $which engine answers as plain gRPC" 04 python3 -c '
import socket, sys
one = socket.socket(socket.AF_UNIX)
one.settimeout(10)
one.connect(sys.argv[1].removeprefix("unix://"))
one.sendall(b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n" + bytes([0, 0, 0, 4, 0, 0, 0, 0, 0]))
print(one.recv(9)[3:4].hex())' "$COGPACK_TEST_BUILDKIT"
}
engine_works older "$COGPACK_TEST_ENGINE"
(
	on_next_engine
	engine_works newer "$COGPACK_TEST_ENGINE"
)

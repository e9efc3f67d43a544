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

# Of the frontend that the engines come with, the older one knows neither heredocs nor --link.
mkdir "$work/pinned" "$work/named"
printf 'left out\n' >"$work/pinned/left-out"
printf 'from the context\n' >"$work/pinned/note"
printf 'from a named context\n' >"$work/named/note"
cat >"$work/pinned/Dockerfile" <<END
# syntax=docker/dockerfile:1.4
FROM $python
COPY --link note /notes/
COPY --from=named note /notes/named
RUN <<EOF
set -e
cat /notes/note /notes/named
EOF
CMD cat /notes/note /notes/named
END
cat >"$work/pinned/Dockerfile.newest" <<END
# syntax=docker/dockerfile:$COGPACK_TEST_SYNTAX
FROM $python
COPY --exclude=left-* . /notes/
END
cat >"$work/pinned/Dockerfile.plain" <<END
FROM $python
COPY note /notes/
RUN apt-get -q -o APT::Update::Error-Mode=any update
CMD cat /notes/note
END

# frontend_works WHICH: a pinned line finds its image in the rig's registry, and a plugin of the
# client gives it named contexts.
frontend_works() {
	local image=rig-frontend-$$
	exits "the $1 engine builds with the frontend that a Dockerfile is pinned to" 0 \
		docker buildx build --no-cache --load --build-context "named=$work/named" --tag "$image" "$work/pinned"
	prints 'and with a named context' 'from a named context' docker run --rm --network "$COGPACK_TEST_NETWORK" "$image"
	docker image rm "$image" >/dev/null
}

# classic_works WHICH: the builder that is older than BuildKit.
classic_works() {
	local image=rig-classic-$$
	exits "the classic builder of the $1 engine reaches the package archives" 0 \
		env DOCKER_BUILDKIT=0 docker build --no-cache --network "$COGPACK_TEST_NETWORK" --file "$work/pinned/Dockerfile.plain" --tag "$image" "$work/pinned"
	prints 'and its image runs' 'from the context' docker run --rm --network "$COGPACK_TEST_NETWORK" "$image"
	docker image rm "$image" >/dev/null
}

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

whole_engine_works() {
	engine_works "$1" "$COGPACK_TEST_ENGINE"
	frontend_works "$1"
	classic_works "$1"
}
on_each_engine whole_engine_works
(
	on_next_engine
	# The older engine's BuildKit does not know this of a copy, and copies all without a word.
	exits "the newer engine takes a Dockerfile of version $COGPACK_TEST_SYNTAX" 0 docker build --file "$work/pinned/Dockerfile.newest" --tag "rig-newest-$$" "$work/pinned"
	exits 'in its own language' 1 docker run --rm --network "$COGPACK_TEST_NETWORK" "rig-newest-$$" test -e /notes/left-out
	docker image rm "rig-newest-$$" >/dev/null
)

# buildah_works PROGRAM VERSION: builds, into its own storage and the registry.
buildah_works() {
	local image=$COGPACK_TEST_REGISTRY/test/buildah:$$
	matches "buildah $2 is there" "^buildah version ${2//./\\.}" "$1" --version
	exits 'it reaches the package archives' 0 "$1" build --no-cache --file "$work/pinned/Dockerfile.plain" --tag "$image" "$work/pinned"
	exits 'and pushes' 0 "$1" push "$image"
	prints 'what an engine runs' 'from the context' docker run --rm --network "$COGPACK_TEST_NETWORK" "$image"
	docker image rm "$image" >/dev/null
	exits 'and forgets' 0 "$1" rmi "$image"
}
buildah_works "$COGPACK_TEST_BUILDAH" 1.28
buildah_works "$COGPACK_TEST_NEXT_BUILDAH" 1.39

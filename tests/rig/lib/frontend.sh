# Builds BuildKit's Dockerfile frontend and its client `buildctl` out of Debian's packages of its
# sources, and serves the frontend as the image that a `# syntax=` line names. Sourced by `rig`.
#
# The registry is the engines' mirror of docker.io, so a pinned line finds what is served here
# and leaves the machine for nothing.

# The newest first; the next one is for the day when Debian's testing changes under our feet.
RIG_FRONTEND_SUITES=(forky trixie)
RIG_FRONTEND_GO=github.com/moby/buildkit/frontend/dockerfile/cmd/dockerfile-frontend
RIG_BUILDCTL_GO=github.com/moby/buildkit/cmd/buildctl
# What both import, and nothing of what those packages depend on beyond that.
RIG_FRONTEND_PACKAGES=(
	golang-github-{agext-levenshtein,cespare-xxhash-v2,cespare-xxhash,containerd-containerd-api,containerd-containerd}-dev
	golang-github-containerd-{continuity,errdefs,log,platforms,stargz-snapshotter,ttrpc,typeurl}-dev
	golang-github-{coreos-bbolt,distribution-reference,docker-docker,docker-go-connections,docker-go-units,felixge-httpsnoop}-dev
	golang-github-{go-logr-logr,go-logr-stdr,gofrs-flock,gogo-googleapis,gogo-protobuf,golang-protobuf-1-5,google-go-cmp}-dev
	golang-github-{google-shlex,google-uuid,grpc-ecosystem-grpc-gateway,in-toto-attestation,in-toto-in-toto-golang}-dev
	golang-github-{klauspost-compress,mitchellh-hashstructure,moby-docker-image-spec,moby-locker,moby-patternmatcher}-dev
	golang-github-{moby-sys,opencontainers-go-digest,opencontainers-image-spec,pkg-errors,planetscale-vtprotobuf}-dev
	golang-github-{secure-systems-lab-go-securesystemslib,shibumi-go-pathspec,sirupsen-logrus}-dev
	golang-github-{tonistiigi-dchapes-mode,tonistiigi-fsutil,vbatts-tar-split}-dev
	golang-golang-x-{crypto,net,sync,sys,text}-dev
	golang-google-{genproto,grpc,protobuf}-dev golang-opentelemetry-{contrib,otel,proto}-dev
	golang-github-{cenkalti-backoff,cenkalti-backoff-v4,cenkalti-backoff-v5,containerd-console,cpuguy83-go-md2man-v2}-dev
	golang-github-{docker-docker-credential-helpers,felixge-fgprof,google-pprof,hashicorp-go-cleanhttp,morikuni-aec}-dev
	golang-github-{pkg-profile,russross-blackfriday-v2,tonistiigi-go-archvariant,tonistiigi-units,tonistiigi-vt100,urfave-cli}-dev
	golang-golang-x-time-dev
	golang-github-{beorn7-perks,hashicorp-errwrap,hashicorp-go-multierror,munnerz-goautoneg}-dev
	golang-github-prometheus-{client-golang,client-model,common,procfs}-dev
)

buildctl_path() { printf '%s/bin/buildctl' "$RIG_HOME"; }

# frontend_recipe SUITE: sets in the caller's `version` what Dockerfile version it understands, and
# in `labs` the build tags of what only the -labs one of that version does.
frontend_recipe() {
	case $1 in
	forky) version=1.19 labs=dfrunsecurity,dfparents,dfrundevice ;;
	trixie) version=1.7 labs=dfrunsecurity,dfparents,dfexcludepatterns ;;
	*) die "no frontend is known of $1" ;;
	esac
}

# frontend_version: what is served, such as 1.19; empty where nothing is.
frontend_version() { cat "$RIG_HOME/layouts/dockerfile/version" 2>/dev/null || true; }

frontend_up() {
	local layout=$RIG_HOME/layouts/dockerfile key suite
	key=$({
		printf '%s\n' "${RIG_FRONTEND_PACKAGES[@]}"
		cat "$RIG_LIB"/{frontend.sh,oci_layout.py}
	} | sha256sum | cut -c1-32)
	if [ "$(cat "$layout/key" 2>/dev/null)" != "$key" ] || [ ! -x "$(buildctl_path)" ]; then
		for suite in "${RIG_FRONTEND_SUITES[@]}"; do
			if build_frontend "$suite"; then
				printf '%s\n' "$key" >"$layout/key"
				break
			fi
			say "BuildKit's programs of Debian $suite could not be built (log: $RIG_HOME/log/frontend.log)"
		done
	fi
	[ -n "$(frontend_version)" ] && [ -x "$(buildctl_path)" ] ||
		die_with_log "no Dockerfile frontend and buildctl could be built" "$RIG_HOME/log/frontend.log"
	publish_frontend "$layout" "$(frontend_version)"
}

# build_frontend SUITE: fails where that release's packages do not fit each other.
build_frontend() {
	local suite=$1 began=$SECONDS work=$RIG_HOME/frontend layout=$RIG_HOME/layouts/dockerfile version labs
	frontend_recipe "$suite"
	need_programs mmdebstrap python3
	say "building the Dockerfile frontend $version and buildctl from the sources in Debian $suite"
	rm -rf --one-file-system "$work"
	mkdir -p "$work" "$layout"
	if ! {
		unpack_frontend_sources "$suite" "$work" &&
			pack_frontend "$work" "$layout:$version" '' &&
			pack_frontend "$work" "$layout:$version-labs" "$labs" &&
			go_build "$work" '' "$RIG_BUILDCTL_GO" "$(buildctl_path)"
	} >>"$RIG_HOME/log/frontend.log" 2>&1; then return 1; fi
	rm -rf --one-file-system "$work"
	printf '%s\n' "$version" >"$layout/version"
	say "built it in $((SECONDS - began))s"
}

# unpack_frontend_sources SUITE DIRECTORY: the sources, and the Go that this release compiles with.
unpack_frontend_sources() {
	local suite=$1 directory=$2 go
	update_suite_packages "$suite" "$directory/apt" || return
	go=$(suite_apt apt-cache "$suite" "$directory/apt" depends golang-go | sed -nE 's/.*Depends: (golang-[0-9.]+)-go$/\1/p')
	[ -n "$go" ] || { echo "no Go in $suite" && return 1; }
	unpack_packages "$suite" "$directory/apt" "$directory/root" "$go-go" "$go-src" "${RIG_FRONTEND_PACKAGES[@]}" || return
	# A file of this name lets paths that end in a major version be found.
	printf 'module github.com/moby/buildkit\n' >"$directory/root/usr/share/gocode/src/github.com/moby/buildkit/go.mod"
}

# go_build DIRECTORY BUILD-TAGS PACKAGE PROGRAM
go_build() {
	local directory=$1 go
	go=$(echo "$directory"/root/usr/lib/go-*)
	mkdir -p "$(dirname "$4")"
	env -u GOFLAGS HOME="$directory" GOROOT="$go" GOPATH="$directory/root/usr/share/gocode" GOCACHE="$directory/cache" \
		GO111MODULE=off GOTOOLCHAIN=local CGO_ENABLED=0 timeout 900 "$go/bin/go" build -trimpath -tags "$2" -ldflags '-s -w' \
		-o "$4" "$3" 9>&-
}

# pack_frontend DIRECTORY LAYOUT:TAG BUILD-TAGS
pack_frontend() {
	local directory=$1 root=$1/image
	go_build "$directory" "$3" "$RIG_FRONTEND_GO" "$root/bin/dockerfile-frontend" || return
	tar -C "$root" --sort=name --owner=0 --group=0 --numeric-owner --mtime="@$RIG_IMAGE_TIME" -cf "$directory/image.tar" bin || return
	# An engine gives a frontend no network when it says that it needs none, and a newer engine
	# hands over named contexts only to one that says that it knows them.
	python3 "$RIG_LIB/oci_layout.py" --rootfs "$directory/image.tar" --time "$RIG_IMAGE_TIME" \
		--architecture "$(dpkg --print-architecture)" --entrypoint '["/bin/dockerfile-frontend"]' \
		--label moby.buildkit.frontend.network.none=true \
		--label moby.buildkit.frontend.caps=moby.buildkit.frontend.inputs,moby.buildkit.frontend.subrequests,moby.buildkit.frontend.contexts \
		"$2"
}

# publish_frontend LAYOUT VERSION: under the tag of each version whose language it understands.
publish_frontend() {
	local layout=$1 version=$2 kind tag manifest digest minor
	for kind in '' -labs; do
		digest=$(skopeo inspect --format '{{.Digest}}' "oci:$layout:$version$kind")
		[ "$(curl -fsS -o /dev/null -D - -H 'Accept: application/vnd.oci.image.manifest.v1+json' \
			"http://$(registry_address)/v2/docker/dockerfile/manifests/1$kind" 2>/dev/null |
			sed -nE 's/^docker-content-digest: ([^\r]*)\r?$/\1/Ip')" != "$digest" ] || continue
		tag=docker://$(registry_address)/docker/dockerfile:$version$kind
		timeout 300 skopeo copy -q --dest-tls-verify=false "oci:$layout:$version$kind" "$tag" || die "pushing $tag failed"
		manifest=$layout/blobs/sha256/${digest#sha256:}
		# The last one says that all are there.
		for minor in $(seq 4 "${version#1.}") ''; do
			curl -fsS -o /dev/null -X PUT -H 'Content-Type: application/vnd.oci.image.manifest.v1+json' --data-binary "@$manifest" \
				"http://$(registry_address)/v2/docker/dockerfile/manifests/1${minor:+.$minor}$kind" ||
				die "tagging the Dockerfile frontend 1${minor:+.$minor}$kind failed"
		done
	done
}

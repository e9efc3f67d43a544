# Makes the base images out of Debian packages, as OCI layouts, and publishes them.
# Sourced by `rig`.

RIG_IMAGES=(debian:bookworm-slim python:3.11-slim)
RIG_SUITE=bookworm
# Every time in an image is at most this one, so that equal packages give equal digests.
RIG_IMAGE_TIME=1686355200
# The images that this command has looked after already.
declare -A RIG_MADE=()
RIG_CERTIFICATES=/etc/ssl/certs/ca-certificates.crt

layout_of() { printf '%s/layouts/%s' "$RIG_HOME" "${1%%:*}"; }
rootfs_of() { printf '%s/rootfs/%s.tar' "$RIG_HOME" "${1/:/-}"; }
reference_of() { printf '%s/base/%s' "$(registry_address)" "$1"; }

# recipe IMAGE: sets what makes it in the caller's `parent`, `packages`, `command`, `environment`.
recipe() {
	parent='' packages='' command='["bash"]' environment=()
	case $1 in
	debian:bookworm-slim)
		packages=usr-is-merged
		environment=(PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin)
		;;
	python:3.11-slim)
		parent=debian:bookworm-slim command='["python3"]'
		packages=ca-certificates,netbase,python3,python3-pip,python3-venv,tzdata
		# Programs that bring certificates of their own must be told to use the image's.
		environment=(LANG=C.UTF-8 "SSL_CERT_FILE=$RIG_CERTIFICATES"
			"PIP_CERT=$RIG_CERTIFICATES" "REQUESTS_CA_BUNDLE=$RIG_CERTIFICATES")
		;;
	*) die "no base image $1 (there are: ${RIG_IMAGES[*]})" ;;
	esac
}

# make_image IMAGE force|reuse: its parent, then its layout, unless that is there already.
make_image() {
	local image=$1 mode=$2 parent packages command environment
	local layout key began variable options=()
	[ -z "${RIG_MADE[$image]:-}" ] || return 0
	RIG_MADE[$image]=yes
	recipe "$image"
	if [ -n "$parent" ]; then
		make_image "$parent" "$mode"
		recipe "$image"
	fi
	layout=$(layout_of "$image")
	key=$(image_key "$image")
	if [ "$mode" = reuse ] && [ "$(cat "$layout/${image#*:}.key" 2>/dev/null)" = "$key" ]; then return; fi
	need_programs mmdebstrap python3
	began=$SECONDS
	say "making base/$image"
	rm -f "$layout/${image#*:}.key"
	bootstrap "$image"
	for variable in "${environment[@]}"; do options+=(--env "$variable"); done
	if [ -n "$parent" ]; then
		options+=(--parent "$(layout_of "$parent"):${parent#*:}" --parent-rootfs "$(rootfs_of "$parent")")
	fi
	python3 "$RIG_LIB/oci_layout.py" --rootfs "$(rootfs_of "$image")" --time "$RIG_IMAGE_TIME" \
		--architecture "$(dpkg --print-architecture)" --command "$command" "${options[@]}" \
		"$layout:${image#*:}" >>"$RIG_HOME/log/images.log" 2>&1 ||
		die_with_log "packing base/$image failed" "$RIG_HOME/log/images.log"
	printf '%s\n' "$key" >"$layout/${image#*:}.key"
	say "made base/$image in $((SECONDS - began))s"
}

# All that an image is made from, except what the package archive says today.
image_key() {
	{
		printf '%s\n' "$1" "$parent" "$packages" "$command" "${environment[@]}"
		[ -z "$parent" ] || layout_digest "$parent"
		cat "$RIG_CERTIFICATES" "$RIG_LIB"/{images.sh,oci_layout.py,finish-root,extra_certificates.py}
	} | sha256sum | cut -c1-32
}

layout_digest() { skopeo inspect --format '{{.Digest}}' "oci:$(layout_of "$1"):${1#*:}"; }

# bootstrap IMAGE: its whole root as a tar, on top of its parent's where it has one.
bootstrap() {
	local rootfs log=$RIG_HOME/log/images.log options=()
	rootfs=$(rootfs_of "$1")
	if [ -n "$parent" ]; then
		options=(--variant=custom --skip=check/signed-by
			--setup-hook="mmtarfilter --path-exclude='/dev/*' <'$(rootfs_of "$parent")' | tar -C \"\$1\" -x --numeric-owner --xattrs --xattrs-include='*'")
	else
		options=(--variant=minbase --hook-dir=/usr/share/mmdebstrap/hooks/merged-usr)
	fi
	package_sources >"$RIG_HOME/sources.list"
	RIG_IMAGE=$1 SOURCE_DATE_EPOCH=$RIG_IMAGE_TIME timeout 900 mmdebstrap --mode=root "${options[@]}" \
		--include="$packages" --customize-hook="$RIG_LIB/finish-root" \
		--aptopt='Acquire::Languages "none"' --aptopt='Acquire::Retries "3"' --aptopt='APT::Install-Recommends "false"' \
		--dpkgopt=force-unsafe-io \
		--dpkgopt='path-exclude=/usr/share/man/*' --dpkgopt='path-exclude=/usr/share/info/*' \
		--dpkgopt='path-exclude=/usr/share/locale/*' --dpkgopt='path-exclude=/usr/share/doc/*' \
		--dpkgopt='path-include=/usr/share/doc/*/copyright' \
		"$RIG_SUITE" "$rootfs" "$RIG_HOME/sources.list" >>"$log" 2>&1 9>&- ||
		die_with_log "mmdebstrap could not make base/$1" "$log"
}

# The machine's own sources for this release of Debian; other archives it uses are left out.
package_sources() {
	local listed
	listed=$(list_sources)
	if [ -z "$listed" ]; then
		apt_get update >>"$RIG_HOME/log/apt.log" 2>&1 || die_with_log "apt-get update failed" "$RIG_HOME/log/apt.log"
		listed=$(list_sources)
	fi
	[ -n "$listed" ] || die "apt on this machine has no source for Debian $RIG_SUITE"
	printf '%s\n' "$listed"
}

# shellcheck disable=SC2016  # the $(...) are apt's own fields
list_sources() {
	apt-get indextargets --format '$(ORIGIN)|$(CODENAME)|deb [signed-by=/usr/share/keyrings/debian-archive-keyring.gpg] $(REPO_URI) $(RELEASE) $(COMPONENT)' \
		'Created-By: Packages' | sed -nE "s/^Debian\|$RIG_SUITE(-[a-z]+)?\|//p" | sort -u
}

# publish_image IMAGE: into the registry, and from there into each engine.
publish_image() {
	local image=$1 digest reference engine
	digest=$(layout_digest "$image")
	reference=$(reference_of "$image")
	if [ "$(skopeo inspect --tls-verify=false --format '{{.Digest}}' "docker://$reference" 2>/dev/null)" != "$digest" ]; then
		timeout 300 skopeo copy -q --dest-tls-verify=false "oci:$(layout_of "$image"):${image#*:}" "docker://$reference" ||
			die "pushing $reference failed"
	fi
	for engine in "${RIG_ENGINES[@]}"; do
		if ! engine "$engine" image inspect --format '{{.RepoDigests}}' "$reference" 2>/dev/null | grep -qF "$digest"; then
			engine "$engine" pull -q "$reference" >/dev/null || die "pulling $reference into the engine $engine failed"
		fi
	done
}

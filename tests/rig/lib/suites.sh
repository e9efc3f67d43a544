# Unpacks packages of a newer Debian aside, for programs that this one is too old for.
# Sourced by `rig`; needs `say` and `die`.

# suite_root SUITE PACKAGES: a place of its own for each list, as programs may be running from it.
suite_root() { printf '%s/suites/%s-%s/root' "$RIG_HOME" "$1" "$(printf '%s' "$2" | sha256sum | cut -c1-8)"; }

# unpack_suite SUITE PACKAGES: only files are needed, so nothing is configured and no script
# of a package runs.
unpack_suite() {
	local suite=$1 packages=$2 root began=$SECONDS log=$RIG_HOME/log/suites.log
	root=$(suite_root "$suite" "$packages")
	if [ "$(cat "$root.packages" 2>/dev/null)" = "$packages" ]; then return; fi
	# A program is shown that release's /usr, which must then hold /bin and /lib as well.
	[ "$(readlink -f /bin)" = /usr/bin ] || die "programs of $suite need a machine with a merged /usr"
	say "unpacking $packages of Debian $suite"
	rm -rf --one-file-system "$(dirname "$root")"
	mkdir -p "$(dirname "$root")"
	suite_sources "$suite" >"$root.list"
	timeout 900 mmdebstrap --mode=root --variant=extract --format=directory --include="$packages" \
		--aptopt='Acquire::Languages "none"' --aptopt='Acquire::Retries "3"' --aptopt='APT::Install-Recommends "false"' \
		--dpkgopt=force-unsafe-io --dpkgopt='path-exclude=/usr/share/*' \
		"$suite" "$root" "$root.list" >>"$log" 2>&1 9>&- || die_with_log "mmdebstrap could not unpack $packages of $suite" "$log"
	printf '%s\n' "$packages" >"$root.packages"
	say "unpacked them in $((SECONDS - began))s"
}

# suite_sources SUITE: the archive that the machine's own apt uses, for this release of Debian.
suite_sources() {
	local archive
	archive=$(package_sources | sed -nE "s/^(deb \[[^]]*\] [^ ]+) $RIG_SUITE main$/\1/p" | head -n 1)
	[ -n "$archive" ] || die "apt on this machine has no source for Debian $RIG_SUITE, so none is known for $1"
	printf '%s %s main\n' "$archive" "$1"
}

# suite_apt PROGRAM SUITE STATE ARGUMENT...: one of apt's programs, which knows that release alone
# and keeps what it knows in STATE. All else is as this machine's apt is set.
suite_apt() {
	local program=$1 suite=$2 state=$3
	shift 3
	timeout 600 "$program" -q -o "Dir::State=$state" -o "Dir::State::lists=$state/lists" -o Dir::State::status=/dev/null \
		-o "Dir::Cache=$state/cache" -o "Dir::Etc::SourceList=$state/sources.list" -o Dir::Etc::SourceParts=- \
		-o Acquire::Retries=3 -o Acquire::Languages=none -o Acquire::IndexTargets::deb::DEP-11::DefaultEnabled=false \
		-o Acquire::IndexTargets::deb::DEP-11-icons-small::DefaultEnabled=false -o APT::Sandbox::User=root "$@" 9>&-
}

# update_suite_packages SUITE STATE
update_suite_packages() {
	mkdir -p "$2/lists/partial" "$2/cache/archives/partial"
	suite_sources "$1" >"$2/sources.list"
	suite_apt apt-get "$1" "$2" update
}

# unpack_packages SUITE STATE ROOT PACKAGE...: these alone, not what they depend on. One that the
# release does not have is left out.
unpack_packages() {
	local suite=$1 state=$2 root=$3 package
	shift 3
	mkdir -p "$root" "$state/packages"
	# shellcheck disable=SC2046  # names are words
	(cd "$state/packages" && suite_apt apt-get "$suite" "$state" download $(suite_apt apt-cache "$suite" "$state" pkgnames | grep -xFf <(printf '%s\n' "$@"))) || return
	for package in "$state/packages"/*.deb; do
		dpkg-deb --fsys-tarfile "$package" | tar -C "$root" -x --exclude='./usr/share/doc/*' || return
	done
}

# Unpacks packages of a newer Debian aside, for programs that this one is too old for.
# Sourced by `rig`; needs `say` and `die`.

suite_root() { printf '%s/suites/%s/root' "$RIG_HOME" "$1"; }

# unpack_suite SUITE PACKAGES: only files are needed, so nothing is configured and no script
# of a package runs.
unpack_suite() {
	local suite=$1 packages=$2 root began=$SECONDS log=$RIG_HOME/log/suites.log
	root=$(suite_root "$suite")
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

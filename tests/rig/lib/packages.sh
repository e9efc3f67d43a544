# Installs the programs that the rig and the tests call, from Debian's own archive.
# Sourced by `rig`; needs `say` and `die`.

# program=package, for every program that the rig and the tests call.
RIG_PROGRAMS=(
	dockerd=docker.io docker-registry=docker-registry skopeo=skopeo umoci=umoci
	buildah=buildah crun=crun runc=runc newuidmap=uidmap mmdebstrap=mmdebstrap iptables=iptables ip=iproute2
	ssh-agent=openssh-client curl=curl git=git openssl=openssl python3=python3 flock=util-linux pkill=procps cc=build-essential
	faketime=faketime gpg=gnupg oci-image-tool=oci-image-tool
)

have() { command -v "$1" >/dev/null 2>&1; }

# Whether apt-get can install what is missing, and we may call it.
can_install() { [ "$(id -u)" = 0 ] && have apt-get && [ -e /etc/debian_version ]; }

# need_programs [PROGRAM...]: installs those that are missing; all of them when none is named.
need_programs() {
	local pair wanted missing=()
	[ $# -gt 0 ] || set -- "${RIG_PROGRAMS[@]%%=*}"
	for wanted in "$@"; do
		for pair in "${RIG_PROGRAMS[@]}"; do
			[ "${pair%%=*}" = "$wanted" ] && break
			pair=''
		done
		[ -n "$pair" ] || die "no package is known for the program $wanted"
		have "$wanted" || missing+=("${pair#*=}")
	done
	[ -r /etc/ssl/certs/ca-certificates.crt ] || missing+=(ca-certificates)
	[ ${#missing[@]} = 0 ] || install_packages "${missing[@]}"
}

install_packages() {
	can_install || die "missing: $* (installing them needs root and Debian's apt-get)"
	say "installing $*"
	local log=$RIG_HOME/log/apt.log
	# apt's lists may be older than the archive, and then a version they name is gone.
	without_services apt_get install "$@" >>"$log" 2>&1 ||
		{ apt_get update && without_services apt_get install "$@"; } >>"$log" 2>&1 ||
		die_with_log "apt-get install $* failed" "$log"
}

apt_get() {
	DEBIAN_FRONTEND=noninteractive timeout 900 apt-get -q -y -o DPkg::Lock::Timeout=300 \
		-o Acquire::Retries=3 --no-install-recommends "$@" 9>&-
}

# A package that brings a service asks this policy before it starts it: 101 is "no".
without_services() (
	policy=/usr/sbin/policy-rc.d
	if [ ! -e "$policy" ]; then
		trap 'rm -f "$policy"' EXIT
		printf '#!/bin/sh\nexit 101\n' >"$policy"
		chmod 755 "$policy"
	fi
	"$@"
)

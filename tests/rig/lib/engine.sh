# Starts and stops Docker Engines. Sourced by `rig`.
#
# Every function takes the engine's name. There is one, `bookworm`: Debian 12's own
# Docker 20.10. Another is added by its name in RIG_ENGINES and its `dockerd` in
# `engine_program`; sockets, data, networks and logs are kept apart by name already.

RIG_ENGINES=(bookworm)

engine_socket() { printf '%s/run/%s.sock' "$RIG_HOME" "$1"; }

engine_program() {
	case $1 in
	bookworm) command -v dockerd ;;
	*) die "no such engine: $1" ;;
	esac
}

# The client of Debian's own package builds with BuildKit by itself; a newer one, found
# earlier on PATH, would want a plugin for that.
docker_client() { if [ -x /usr/bin/docker ]; then printf /usr/bin/docker; else command -v docker; fi; }

# engine ENGINE ARGUMENT...: the docker client, speaking to this engine.
engine() {
	local socket
	socket=$(engine_socket "$1")
	shift
	DOCKER_CONFIG=$RIG_HOME/docker-config timeout 300 "$(docker_client)" -H "unix://$socket" "$@"
}

engine_version() { DOCKER_CONFIG=$RIG_HOME/docker-config timeout 5 "$(docker_client)" -H "unix://$(engine_socket "$1")" version --format '{{.Server.Version}}' 2>/dev/null; }

engine_storage() { engine "$1" info --format '{{.Driver}}' 2>/dev/null; }

engine_up() {
	local name=$1 data network
	if running "engine-$name" >/dev/null && engine_version "$name" >/dev/null; then return; fi
	engine_down "$name"
	data=$RIG_HOME/engine/$name
	mkdir -p "$data"
	# The engine remembers its last bridge, and takes no other one instead.
	rm -rf "$data/data/network" "$data/docker.pid"
	printf '{}\n' >"$data/daemon.json"
	if bridge_up "$name"; then
		network=(--bridge "$(bridge_name "$name")" --mtu "$(uplink_mtu)")
	else
		# An engine without a bridge removes `docker0`, even another engine's.
		! ip link show docker0 >/dev/null 2>&1 ||
			die_with_log "no bridge can be made, and to do without one would break the engine that owns docker0" "$RIG_HOME/log/network.log"
		say "no bridge can be made here (log: $RIG_HOME/log/network.log): containers need --network host"
		network=(--bridge none)
	fi
	start "engine-$name" "$(engine_program "$name")" --config-file "$data/daemon.json" \
		--host "unix://$(engine_socket "$name")" --pidfile "$data/docker.pid" \
		--data-root "$data/data" --exec-root "$RIG_HOME/run/$name" \
		--containerd-namespace "cogpack-$name" --containerd-plugins-namespace "cogpack-$name-plugins" \
		--iptables=false --ip6tables=false --ip-masq=false "${network[@]}"
	wait_ready "engine-$name" 60 engine_version "$name"
	say "Docker Engine $(engine_version "$name") on $(engine_socket "$name"), $(engine_storage "$name"), network $(network_mode "$name")"
}

engine_down() {
	local name=$1 containers=()
	if running "engine-$name" >/dev/null; then
		mapfile -t containers < <(engine "$name" ps -q 2>/dev/null)
		[ ${#containers[@]} = 0 ] || engine "$name" kill "${containers[@]}" >/dev/null 2>&1 || true
	fi
	stop "engine-$name" 30
	engine_remains_down "$name"
	bridge_down "$name"
	rm -f "$(engine_socket "$name")"
}

# An engine that was killed leaves its containerd behind, and each container with a shim.
engine_remains_down() {
	local state=$RIG_HOME/run/$1/containerd shim
	for shim in $(processes_with_argument "$state/containerd.sock"); do
		pkill -KILL -P "$shim" || true
		kill -KILL "$shim" 2>/dev/null || true
	done
	# shellcheck disable=SC2046  # pids are words
	kill -TERM $(processes_with_argument "$state/containerd.toml") 2>/dev/null || true
	wait_until 10 no_process_with_argument "$state/containerd.toml" || die "the containerd of the engine $1 does not end"
	# The next engine would take a pid in here for a containerd to speak to.
	rm -f "$state/containerd.pid"
}

# The pattern is not an argument of grep, or grep would find itself.
processes_with_argument() { grep -lzxFf <(printf '%s' "$1") /proc/[0-9]*/cmdline 2>/dev/null | cut -d/ -f3; }

no_process_with_argument() { [ -z "$(processes_with_argument "$1")" ]; }

# Starts and stops Docker Engines. Sourced by `rig`.
#
# Every function takes the engine's name. `bookworm` is Debian 12's own Docker 20.10, and
# `trixie` is Debian 13's Docker 26.1 with the containerd image store, whose BuildKit has
# merge and diff. `spare` is another one like `trixie`, started and killed by tests of faults
# and never by `up`. Sockets, data, networks and logs are kept apart by name.

RIG_ENGINES=(bookworm trixie)
# The newer engine, the git it calls for contexts with what git's own scripts call, and what else
# the tests have in two ages.
RIG_NEWER_PACKAGES=docker.io,containerd,runc,git,dash,coreutils,sed,grep,docker-buildx,buildah,netavark

engine_socket() { printf '%s/run/%s.sock' "$RIG_HOME" "$1"; }

# engine_kind ENGINE: sets how it is started in the caller's `launch` and `settings`.
engine_kind() {
	case $1 in
	bookworm) launch=(dockerd) ;;
	trixie | spare)
		unpack_suite trixie "$RIG_NEWER_PACKAGES"
		launch=("$RIG_LIB/with-usr-of" "$(newer_root)" dockerd)
		;;
	*) die "no such engine: $1" ;;
	esac
	# A `# syntax=` line names an image of docker.io, and finds it in the rig's registry.
	case $1 in
	bookworm) settings='"registry-mirrors": ["http://'$(registry_address)'"]' ;;
	trixie) settings='"registry-mirrors": ["http://'$(registry_address)'"], "features": {"containerd-snapshotter": true}' ;;
	spare) settings='"features": {"containerd-snapshotter": true}' ;;
	esac
	settings="{$settings}"
}

newer_root() { suite_root trixie "$RIG_NEWER_PACKAGES"; }

# The client of Debian's own package builds with BuildKit by itself; a newer one, found
# earlier on PATH, would want a plugin for that.
docker_client() { if [ -x /usr/bin/docker ]; then printf /usr/bin/docker; else command -v docker; fi; }

# `docker buildx` is a program of its own, which the client of Debian 12 does not come with.
client_plugin_up() {
	mkdir -p "$RIG_HOME/docker-config/cli-plugins"
	ln -sf "$(newer_root)/usr/libexec/docker/cli-plugins/docker-buildx" "$RIG_HOME/docker-config/cli-plugins/docker-buildx"
}

# engine ENGINE ARGUMENT...: the docker client, speaking to this engine.
engine() {
	local socket
	socket=$(engine_socket "$1")
	shift
	DOCKER_CONFIG=$RIG_HOME/docker-config timeout 300 "$(docker_client)" -H "unix://$socket" "$@"
}

engine_version() { DOCKER_CONFIG=$RIG_HOME/docker-config timeout 5 "$(docker_client)" -H "unix://$(engine_socket "$1")" version --format '{{.Server.Version}}' 2>/dev/null; }

engine_storage() { engine "$1" info --format '{{.Driver}}' 2>/dev/null; }

# engine_up ENGINE [ARGUMENT...]: with these arguments to `dockerd` as well.
engine_up() {
	local name=$1 data network launch settings
	shift
	data=$RIG_HOME/engine/$name
	mkdir -p "$data"
	engine_kind "$name"
	# Which checkout of the rig started it makes no difference.
	if running "engine-$name" >/dev/null && [ "$(cat "$data/started-as" 2>/dev/null)" = "${launch[*]:1} $settings" ] && engine_version "$name" >/dev/null; then
		buildkit_up "$name"
		return
	fi
	engine_down "$name"
	engine_data_ready "$name"
	# The engine remembers its last bridge, and takes no other one instead.
	rm -rf "$data/data/network" "$data/docker.pid"
	printf '%s\n' "$settings" >"$data/daemon.json"
	printf '%s\n' "${launch[*]:1} $settings" >"$data/started-as"
	if bridge_up "$name"; then
		network=(--bridge "$(bridge_name "$name")" --mtu "$(uplink_mtu)")
	else
		# An engine without a bridge removes `docker0`, even another engine's.
		! ip link show docker0 >/dev/null 2>&1 ||
			die_with_log "no bridge can be made, and to do without one would break the engine that owns docker0" "$RIG_HOME/log/network.log"
		say "no bridge can be made here (log: $RIG_HOME/log/network.log): containers need --network host"
		network=(--bridge none)
	fi
	local try
	for try in 1 2 3; do
		start "engine-$name" "${launch[@]}" --config-file "$data/daemon.json" \
			--host "unix://$(engine_socket "$name")" --pidfile "$data/docker.pid" \
			--data-root "$data/data" --exec-root "$RIG_HOME/run/$name" \
			--containerd-namespace "cogpack-$name" --containerd-plugins-namespace "cogpack-$name-plugins" \
			--iptables=false --ip6tables=false --ip-masq=false "${network[@]}" "$@"
		wait_until 60 ready_or_gone "engine-$name" engine_version "$name" || true
		# It gives its containerd ten seconds, which is little where a disk has much to read first.
		! running "engine-$name" >/dev/null && tail -n 3 "$RIG_HOME/log/engine-$name.log" | grep -qE 'deadline exceeded|failed to start containerd' || break
		engine_remains_down "$name"
		[ "$try" = 3 ] || say "Docker Engine $name was not up in its own time, starting it again"
	done
	wait_ready "engine-$name" 60 engine_version "$name"
	buildkit_up "$name"
	say "Docker Engine $(engine_version "$name") on $(engine_socket "$name"), $(engine_storage "$name"), network $(network_mode "$name")"
}

# Its databases as megabytes beyond which an engine begins anew.
RIG_MOST_DATABASE=100

# engine_data_ready ENGINE: its data is small enough to start with, and in memory.
#
# The engine's databases only grow, by some hundred megabytes in a day of tests, and its containerd
# reads them whole before it answers, within the engine's ten seconds.
engine_data_ready() {
	local data=$RIG_HOME/engine/$1/data databases=() database bytes=0
	[ -d "$data" ] || return 0
	mapfile -t databases < <(find "$data" -maxdepth 5 -name '*.db' -type f)
	for database in "${databases[@]}"; do bytes=$((bytes + $(stat -c %s "$database"))); done
	if [ "$bytes" -gt $((RIG_MOST_DATABASE << 20)) ]; then
		say "the databases of the engine $1 have grown to $((bytes >> 20)) MB: it begins anew"
		unmount_all "$data"
		rm -rf --one-file-system "$data" || die "the data of the engine $1 cannot be removed: $data"
		return 0
	fi
	[ ${#databases[@]} = 0 ] || cat "${databases[@]}" >/dev/null
}

# unmount_all DIRECTORY: what an engine that was killed has left mounted there. One mount may hide
# another, which only shows, and can only be unmounted, after it.
unmount_all() {
	local place
	for _ in {1..5}; do
		[ -n "$(mounts_at "$1")" ] || return 0
		mounts_at "$1" | while read -r place; do umount -l "$place" 2>/dev/null || true; done
	done
	[ -z "$(mounts_at "$1")" ] || die "these cannot be unmounted: $(mounts_at "$1" | tr '\n' ' ')"
}

# The innermost first.
mounts_at() {
	awk -v at="$1" '$5 == at || index($5, at "/") == 1 { print $5 }' /proc/self/mountinfo | sort -r
}

buildkit_socket() { printf '%s/run/%s-buildkit.sock' "$RIG_HOME" "$1"; }

# buildkit_up ENGINE: the engine's BuildKit as the plain gRPC that a `buildkitd` speaks.
buildkit_up() {
	local socket
	socket=$(buildkit_socket "$1")
	if running "buildkit-$1" >/dev/null && [ -S "$socket" ]; then return; fi
	stop "buildkit-$1" 5
	start "buildkit-$1" python3 "$RIG_LIB/plain_buildkit.py" "unix://$socket" "$(engine_socket "$1")"
	wait_ready "buildkit-$1" 30 test -S "$socket"
}

engine_down() {
	local name=$1 containers=()
	stop "buildkit-$name" 5
	if running "engine-$name" >/dev/null; then
		mapfile -t containers < <(engine "$name" ps -q 2>/dev/null)
		[ ${#containers[@]} = 0 ] || engine "$name" kill "${containers[@]}" >/dev/null 2>&1 || true
	fi
	stop "engine-$name" 30
	engine_remains_down "$name"
	bridge_down "$name"
	rm -f "$(engine_socket "$name")" "$(buildkit_socket "$name")"
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

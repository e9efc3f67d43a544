# Starts and stops an image registry on the loopback interface. Sourced by `rig`.

# The port is chosen once and kept, because it is part of every image's name.
registry_address() {
	local port=${COGPACK_RIG_PORT:-}
	[ -n "$port" ] || read -r port 2>/dev/null <"$RIG_HOME/registry.port" || die "the registry has never been up"
	printf '127.0.0.1:%s' "$port"
}

registry_answers() { curl -fsS -o /dev/null -m 5 "http://$(registry_address)/v2/" 2>/dev/null; }

registry_up() {
	if running registry >/dev/null && registry_answers; then return; fi
	stop registry 10
	[ -n "${COGPACK_RIG_PORT:-}" ] || choose_port
	mkdir -p "$RIG_HOME/registry"
	cat >"$RIG_HOME/registry.yml" <<-END
		version: 0.1
		log: {level: warn}
		storage:
		  filesystem: {rootdirectory: "$RIG_HOME/registry"}
		  delete: {enabled: true}
		http:
		  addr: "$(registry_address)"
		  secret: only-for-tests
	END
	start registry docker-registry serve "$RIG_HOME/registry.yml"
	wait_ready registry 20 registry_answers
	say "registry on $(registry_address)"
}

# Keeps the port of the last time while nobody else has taken it.
choose_port() {
	local last=0
	read -r last 2>/dev/null <"$RIG_HOME/registry.port" || true
	python3 - "$last" >"$RIG_HOME/registry.port.new" <<-'END'
		import socket, sys
		for port in (int(sys.argv[1]), 0):
		    with socket.socket() as probe:
		        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
		        try:
		            probe.bind(("127.0.0.1", port))
		        except OSError:
		            continue
		        print(probe.getsockname()[1])
		        break
	END
	mv "$RIG_HOME/registry.port.new" "$RIG_HOME/registry.port"
}

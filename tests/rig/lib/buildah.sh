# Gives the tests buildah, as a program that needs no option to work here. Sourced by `rig`.
#
# Named like the engines: `bookworm` is Debian 12's own 1.28, `trixie` is Debian 13's. Each has a
# storage of its own below the rig's home, and none shares anything with another one of the machine.

RIG_BUILDAHS=(bookworm trixie)

# A directory of its own, which can be put on PATH.
buildah_program() { printf '%s/buildah/%s/bin/buildah' "$RIG_HOME" "$1"; }

buildah_up() {
	local name=$1 directory=$RIG_HOME/buildah/$1 launch=(/usr/bin/buildah)
	if [ "$name" = trixie ]; then
		unpack_suite trixie "$RIG_NEWER_PACKAGES"
		launch=("$RIG_LIB/with-usr-of" "$(newer_root)" /usr/bin/buildah)
	fi
	mkdir -p "$directory/bin"
	cat >"$directory/storage.conf" <<-END
		[storage]
		driver = "$(buildah_driver)"
		graphroot = "$directory/storage"
		runroot = "$RIG_HOME/run/buildah-$name"
	END
	# A network of its own would leave a bridge and firewall rules behind; and by itself the newer
	# one would raise limits beyond what a machine may allow.
	cat >"$directory/containers.conf" <<-END
		[containers]
		netns = "host"
		default_ulimits = ["nofile=$(limit_of -n 20000)", "nproc=$(limit_of -u 32768)"]
	END
	cat >"$directory/registries.conf" <<-END
		unqualified-search-registries = ["docker.io"]
		[[registry]]
		location = "$(registry_address)"
		insecure = true
	END
	# Without one it looks for a docker client's, which need not be there.
	printf '{}\n' >"$directory/auth.json"
	cat >"$(buildah_program "$name").new" <<-END
		#!/bin/sh
		# buildah, with the rig's own storage and settings.
		export CONTAINERS_STORAGE_CONF='$directory/storage.conf' CONTAINERS_CONF='$directory/containers.conf'
		export CONTAINERS_REGISTRIES_CONF='$directory/registries.conf' REGISTRY_AUTH_FILE='$directory/auth.json'
		export BUILDAH_ISOLATION=oci BUILDAH_RUNTIME=runc
		exec ${launch[@]@Q} "\$@"
	END
	chmod 755 "$(buildah_program "$name").new"
	mv "$(buildah_program "$name").new" "$(buildah_program "$name")"
	buildah_forget_containers "$name"
}

# A build that was killed leaves containers, which nobody goes on with: the image of each can be
# removed by no other build any more, and some builds fail of that. One that runs now is not killed.
buildah_forget_containers() {
	local program container
	program=$(buildah_program "$1")
	[ -d "$RIG_HOME/buildah/$1/storage" ] || return 0
	if pgrep -f "^/usr/bin/buildah (build|bud|run) " >/dev/null; then return 0; fi
	for container in $(timeout 60 "$program" containers --all --quiet 2>/dev/null); do
		timeout 60 "$program" rm "$container" >/dev/null 2>&1 || say "buildah of $1 keeps the container $container"
	done
}

# limit_of -n|-u WANTED: this many, or as many as there may be.
limit_of() {
	local hard
	hard=$(ulimit -H "$1")
	if [ "$hard" = unlimited ] || [ "$hard" -gt "$2" ]; then hard=$2; fi
	printf '%s:%s' "$hard" "$hard"
}

# Where the engines could not mount layers, buildah cannot either.
buildah_driver() { if [ "$(engine_storage bookworm)" = overlay2 ]; then printf overlay; else printf vfs; fi; }

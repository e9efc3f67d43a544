#!/usr/bin/env bash
# A daemon that is reached through a container, by BuildKit's own client in it; and builds with less
# than a daemon can do, as a file of limits has it.
# shellcheck source-path=SCRIPTDIR source=support.bash
. "$(dirname "$0")/support.bash"
needs_daemon

cogpackc=${COGPACK_TEST_BINARY:?tests/run builds it and says where it is}
base=$COGPACK_TEST_REGISTRY/base/debian:bookworm-slim
container=cogpack-test-daemons-$$
trap 'for host in "$older" "$newer"; do docker --host "$host" rm --force "$container" >/dev/null 2>&1 || true; done; rm -rf --one-file-system "$work"' EXIT
older=$DOCKER_HOST newer=$COGPACK_TEST_NEXT_HOST
mkdir "$work/project"
printf 'sent through a container %s\n' "$RANDOM$RANDOM" >"$work/project/note"
cat >"$work/project/plan.cpk" <<END
cpk 1

image @debian = "$base"

context @source = dir "." {
  include "note"
}

stage %app from image @debian {
  copy "note" from @source to "/note"
  run "cp /note /copied"
}

export from %app
END

through_a_container() {
	local image=cogpack-test/through-a-container:$$
	docker run --detach --name "$container" --network none --env BUILDKIT_HOST=unix:///daemon.sock \
		--volume "${COGPACK_TEST_BUILDKIT#unix://}:/daemon.sock" \
		--volume "$COGPACK_TEST_BUILDCTL:/usr/local/bin/buildctl" "$base" sleep 600 >/dev/null
	builds "container-$1" "$work/project/plan.cpk" --no-cache --buildkit "docker-container://$container" \
		--output "type=tar,dest=$work/container.tar"
	prints "a daemon in a container of the $1 engine has made the image" "$(cat "$work/project/note")" \
		tar -xOf "$work/container.tar" copied
	exits 'BUILDKIT_HOST names it as well' 0 env BUILDKIT_HOST="docker-container://$container" \
		"$cogpackc" build "$work/project/plan.cpk" --tag "$image"
	prints 'and what it made is in the engine' "$(cat "$work/project/note")" \
		docker run --rm --network "$COGPACK_TEST_NETWORK" "$image" cat /copied
	docker image rm --force "$image" >/dev/null
	docker rm --force "$container" >/dev/null
	exits 'a container that is not there is an error' 2 "$cogpackc" build "$work/project/plan.cpk" \
		--buildkit "docker-container://$container" --output "type=tar,dest=$work/none.tar"
	cp "$work/output" "$work/said"
	matches 'which names it' "docker-container://$container.*No such container" cat "$work/said"
}
on_each_engine through_a_container

# What the BuildKit of Docker 20.10 says that it can do: no merges, among much else.
tr ' ' '\n' >"$work/limits" <<'END'
constraints exec.cgroup exec.meta.base exec.meta.network exec.meta.proxyenv exec.meta.security
exec.meta.security.devices.v1 exec.meta.setsdefaultpath exec.mount.bind exec.mount.bind.readwrite-nooutput
exec.mount.cache exec.mount.cache.sharing exec.mount.secret exec.mount.selector exec.mount.ssh exec.mount.tmpfs
file.base file.rm.wildcard meta.description meta.exportcache meta.ignorecache platform soruce.http.uidgid
source.git source.git.fullurl source.http source.http.checksum source.http.perm source.image
source.image.resolvemode source.local source.local.excludepatterns source.local.followpaths
source.local.includepatterns source.local.sessionid source.local.sharedkeyhint source.local.unique
END
# side_by_side NAME OP: a plan of two stages that are put together.
side_by_side() {
	cat >"$work/project/$1.cpk" <<-END
		cpk 1

		image @debian = "$base"

		context @source = dir "." {
		  include "note"
		}

		phase base
		phase parts parallel after base
		phase app after parts

		stage %base in base from image @debian
		stage %one in parts {
		  copy "note" from @source to "/one/note"
		}
		stage %two in parts {
		  $2
		}
		stage %app in app {
		  run "cat /one/note /two/note >/both"
		}

		export from %app
	END
}
side_by_side copies 'copy "note" from @source to "/two/note"'
side_by_side programs 'run "mkdir /two && echo two >/two/note"'
(
	on_next_engine
	builds limited "$work/project/copies.cpk" --no-cache --limits "$work/limits" --output "type=tar,dest=$work/limited.tar"
	builds unlimited "$work/project/copies.cpk" --no-cache --output "type=tar,dest=$work/unlimited.tar"
	for one in limited unlimited; do files_of_tar "$one"; done
	exits 'with less than the daemon can do the image is the same' 0 diff "$work/limited.files" "$work/unlimited.files"
	exits 'without merges a program has no stage beside it' 1 \
		"$cogpackc" build "$work/project/programs.cpk" --limits "$work/limits" --output "type=tar,dest=$work/none.tar"
	cp "$work/output" "$work/said"
	matches 'which is said by the name of what the limits lack' '`(mergeop|diffop)`' cat "$work/said"
	builds programs "$work/project/programs.cpk" --output "type=tar,dest=$work/programs.tar"
	prints 'and with them it has' two tar -xOf "$work/programs.tar" two/note
	printf 'file base\n' >"$work/wrong"
	exits 'a file that holds no limits is an error' 2 \
		"$cogpackc" build "$work/project/copies.cpk" --limits "$work/wrong" --output "type=tar,dest=$work/none.tar"
	exits 'nothing was written by what failed' 1 test -e "$work/none.tar"
)

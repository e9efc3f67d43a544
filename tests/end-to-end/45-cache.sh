#!/usr/bin/env bash
# What one build has made serves others: through a registry, and between our own client and
# `docker build` of the Dockerfile that we write.
# shellcheck source-path=SCRIPTDIR source=support.bash
. "$(dirname "$0")/support.bash"
needs_daemon

cogpackc=${COGPACK_TEST_BINARY:?tests/run builds it and says where it is}
base=$COGPACK_TEST_REGISTRY/base/python:3.11-slim
trap '"$repository/tests/rig/rig" spare-down; rm -rf --one-file-system "$work"' EXIT
mkdir "$work/project"
# Neither its program nor its source has been seen by any engine.
fresh_plan() {
	cat >"$work/project/plan.cpk" <<END
cpk 1

image @python = "$base"

context @source = dir "." {
  include "app.py"
}

stage %app from image @python {
  run "head -c 8 /dev/urandom | od -An -tx1 >/made; : $RANDOM$RANDOM$RANDOM"
  copy "app.py" from @source to "/app.py"
  run "python -m py_compile /app.py"
}

export from %app {
  cmd ["python", "/app.py"]
}
END
	printf 'print("%s")\n' "$RANDOM$RANDOM$RANDOM" >"$work/project/app.py"
}

# ran_by_docker FILE: the instructions that `docker build` ran, by its plain progress. A vertex of
# a stage is named `[app 2/4] RUN …`, and what it begins from is none.
ran_by_docker() {
	awk '/^#[0-9]+ \[.* [0-9]+\/[0-9]+\] / && !/\] FROM / { name[$1] = $0 } $2 == "CACHED" { cached[$1] = 1 }
		END { for (one in name) if (!(one in cached)) print name[one] }' "$1"
}

# ours_after_theirs NAME WHICH IMAGE, theirs_after_ours NAME WHICH IMAGE: the second build of a
# plan whose source no engine has seen.
ours_after_theirs() {
	fresh_plan
	rm -rf "$work/eject"
	exits 'the plan compiles to a Dockerfile' 0 "$cogpackc" "$work/project/plan.cpk" -o dockerfile --syntax none -O "$work/eject"
	exits "docker build makes it on the $2 engine" 0 \
		docker build --no-cache --network "$COGPACK_TEST_NETWORK" --tag "$3" "$work/eject"
	docker run --rm --network "$COGPACK_TEST_NETWORK" "$3" cat /made >"$work/made"
	builds "$1" "$work/project/plan.cpk" --tag "$3"
	prints 'our build after docker build has the same files' "$(cat "$work/made")" \
		docker run --rm --network "$COGPACK_TEST_NETWORK" "$3" cat /made
}
theirs_after_ours() {
	fresh_plan
	rm -rf "$work/eject"
	exits 'a changed plan compiles to a Dockerfile' 0 "$cogpackc" "$work/project/plan.cpk" -o dockerfile --syntax none -O "$work/eject"
	builds "$1" "$work/project/plan.cpk" --no-cache --tag "$3"
	docker run --rm --network "$COGPACK_TEST_NETWORK" "$3" cat /made >"$work/made"
	exits "docker build makes it on the $2 engine" 0 \
		docker build --progress plain --network "$COGPACK_TEST_NETWORK" --tag "$3" "$work/eject"
	cp "$work/output" "$work/docker-build"
	prints 'docker build after our build has the same files' "$(cat "$work/made")" \
		docker run --rm --network "$COGPACK_TEST_NETWORK" "$3" cat /made
}
image=cogpack-test/cache:$$
ours_after_theirs older-after older "$image"
prints 'after docker build, our build runs nothing' '' steps_run older-after
theirs_after_ours older-before older "$image"
ran_by_docker "$work/docker-build" >"$work/ran"
exits 'after our build, docker build runs nothing' 1 grep -q . "$work/ran"
exits 'but finds it' 0 grep -q CACHED "$work/docker-build"
docker image rm --force "$image" >/dev/null
# The newer engine lays a layer that stands for itself over what is below, which the Dockerfile's
# instructions cannot say to it. What comes before that is shared.
(
	on_next_engine
	ours_after_theirs newer-after newer "$image"
	steps_run newer-after >"$work/ran"
	exits 'after docker build, our build does not run the program again' 1 \
		grep -qw "$(grep -n urandom "$work/project/plan.cpk" | cut -d: -f1)" "$work/ran"
	theirs_after_ours newer-before newer "$image"
	ran_by_docker "$work/docker-build" >"$work/ran"
	exits 'and docker build does not after ours' 1 grep -q urandom "$work/ran"
	docker image rm --force "$image" >/dev/null
)

# The older engine's BuildKit writes no cache into a registry, the newer one's does.
(
	on_next_engine
	cache=$COGPACK_TEST_REGISTRY/test/cache:$$
	fresh_plan
	builds cache-written "$work/project/plan.cpk" --no-cache --output "type=tar,dest=$work/first.tar" \
		--cache-to "type=registry,ref=$cache,mode=max"
	matches 'the registry holds the cache' buildkit.cacheconfig skopeo inspect --raw --tls-verify=false "docker://$cache"
	# An engine that has never built this.
	DOCKER_HOST=unix://$("$repository/tests/rig/rig" spare-up)
	export DOCKER_HOST
	builds cache-read "$work/project/plan.cpk" --output "type=tar,dest=$work/second.tar" --cache-from "type=registry,ref=$cache"
	prints 'with the cache of the registry nothing runs' '' steps_run cache-read
	for one in first second; do tar -xOf "$work/$one.tar" made >"$work/$one.made"; done
	exits 'and what was run elsewhere is there' 0 cmp "$work/first.made" "$work/second.made"
)

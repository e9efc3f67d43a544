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
# Neither its programs nor its sources have been seen by any engine.
fresh_plan() {
	cat >"$work/project/plan.cpk" <<END
cpk 1

image @python = "$base"

context @source = dir "." {
  include "app.py"
  include "settings/**"
  include "package/**"
}

stage %tool from image @python {
  run "head -c 8 /dev/urandom >/tool; : $RANDOM$RANDOM$RANDOM"
}

stage %app from image @python {
  run "head -c 8 /dev/urandom | od -An -tx1 >/made; : $RANDOM$RANDOM$RANDOM"
  copy "app.py" from @source to "/app.py"
  copy contents "package" from @source to "/opt/package"
  copy "/tool" from %tool to "/opt/tool" follow
  copy contents "settings" from @source to "/etc/settings"
  copy contents "." from @source to "/srv/all"
  workdir "/srv/app"
  run "python -m py_compile /app.py"
}

export from %app {
  cmd ["python", "/app.py"]
}
END
	mkdir -p "$work/project/package/deep" "$work/project/settings"
	local file
	for file in app.py settings/one package/one.py package/deep/two.py; do
		printf 'print("%s")\n' "$RANDOM$RANDOM$RANDOM" >"$work/project/$file"
	done
}

# ran_by_docker FILE: the instructions that `docker build` ran, by its plain progress. A vertex of
# a stage is named `[app 2/4] RUN …`, and what it begins from is none.
ran_by_docker() {
	awk '/^#[0-9]+ \[.* [0-9]+\/[0-9]+\] / && !/\] FROM / { name[$1] = $0 } $2 == "CACHED" { cached[$1] = 1 }
		END { for (one in name) if (!(one in cached)) print name[one] }' "$1"
}

# ours_after_theirs WHICH SYNTAX, theirs_after_ours WHICH SYNTAX: the second build of a plan whose
# sources no engine has seen finds everything in the cache.
ours_after_theirs() {
	fresh_plan
	rm -rf "$work/eject"
	exits 'the plan compiles to a Dockerfile' 0 \
		"$cogpackc" "$work/project/plan.cpk" -o dockerfile --syntax "$2" -O "$work/eject"
	exits "docker build makes it on the $1 engine" 0 \
		docker build --no-cache --network "$COGPACK_TEST_NETWORK" --tag "$image" \
		--file "$work/eject/Dockerfile" "$work/project"
	docker run --rm --network "$COGPACK_TEST_NETWORK" "$image" cat /made >"$work/made"
	builds "$1-after" "$work/project/plan.cpk" --tag "$image"
	prints "on the $1 engine, after docker build, our build runs nothing" '' steps_run "$1-after"
	prints 'and has the same files' "$(cat "$work/made")" \
		docker run --rm --network "$COGPACK_TEST_NETWORK" "$image" cat /made
}
theirs_after_ours() {
	fresh_plan
	rm -rf "$work/eject"
	exits 'a changed plan compiles to a Dockerfile' 0 \
		"$cogpackc" "$work/project/plan.cpk" -o dockerfile --syntax "$2" -O "$work/eject"
	builds "$1-before" "$work/project/plan.cpk" --no-cache --tag "$image"
	docker run --rm --network "$COGPACK_TEST_NETWORK" "$image" cat /made >"$work/made"
	exits "docker build makes it on the $1 engine" 0 \
		docker build --progress plain --network "$COGPACK_TEST_NETWORK" --tag "$image" \
		--file "$work/eject/Dockerfile" "$work/project"
	cp "$work/output" "$work/docker-build"
	ran_by_docker "$work/docker-build" >"$work/ran"
	if [ "$1" = older ]; then
		# There an independent layer is put together in a stage of its own, which is not what we do,
		# and what comes of it is known by its content.
		sed -i "/\\[app-layer/d" "$work/ran"
	fi
	exits "on the $1 engine, after our build, docker build runs nothing" 1 grep . "$work/ran"
	exits 'but finds it' 0 grep -q CACHED "$work/docker-build"
	prints 'and has the same files' "$(cat "$work/made")" \
		docker run --rm --network "$COGPACK_TEST_NETWORK" "$image" cat /made
}
# The older engine knows no merges, so its Dockerfile says no `--link`; with the newer one's, the
# oldest syntax that has it.
image=cogpack-test/cache:$$
ours_after_theirs older none
theirs_after_ours older none
docker image rm --force "$image" >/dev/null
(
	on_next_engine
	ours_after_theirs newer 1.4
	theirs_after_ours newer 1.4
	docker image rm --force "$image" >/dev/null
)

# forget NONCE: the older engine has no result any more of a step in whose script this stands.
known_of() {
	curl --silent --fail --unix-socket "${DOCKER_HOST#unix://}" http://engine/system/df |
		python3 -c 'import json, sys
for one in json.load(sys.stdin)["BuildCache"]:
    if sys.argv[1] in one["Description"]: print(one["ID"])' "$1"
}
forget() {
	local one
	# What another one is made of is kept until that is gone.
	for _ in {1..10}; do
		for one in $(known_of "$1"); do docker builder prune --all --force --filter "id=$one" >/dev/null; done
		[ -n "$(known_of "$1")" ] || break
	done
	exits 'the engine has forgotten what it ran' 1 sh -c 'test -n "$1"' sh "$(known_of "$1")"
}

# The older engine's BuildKit writes a cache into an image of its own, and can do nothing else.
nonce=$RANDOM$RANDOM$RANDOM
image=$COGPACK_TEST_REGISTRY/test/inline-older:$$
cat >"$work/older.cpk" <<END
cpk 1

image @python = "$base"

stage %app from image @python {
  run "head -c 8 /dev/urandom | od -An -tx1 >/made; : $nonce"
  run "cp /made /copied; : $nonce"
}

export from %app
END
builds inline-older "$work/older.cpk" --tag "$image" --cache-to type=inline
exits 'the engine knows what it ran' 0 sh -c 'test -n "$1"' sh "$(known_of "$nonce")"
docker run --rm --network "$COGPACK_TEST_NETWORK" "$image" cat /made >"$work/written"
docker push --quiet "$image" >/dev/null
docker image rm --force "$image" >/dev/null
forget "$nonce"
builds inline-older-read "$work/older.cpk" --output "type=tar,dest=$work/older.tar" --cache-from "type=registry,ref=$image"
prints 'with the cache in a pushed image of the older engine nothing runs' '' steps_run inline-older-read
prints 'and what is in that image is there' "$(cat "$work/written")" tar -xOf "$work/older.tar" copied
for kind in "registry,ref=$COGPACK_TEST_REGISTRY/test/never:$$" "local,dest=$work/never"; do
	exits "a cache of the type ${kind%%,*} is refused there" 2 \
		"$cogpackc" build "$work/older.cpk" --progress json --output "type=tar,dest=$work/never.tar" --cache-to "type=$kind"
	grep '^error' "$work/output" >"$work/said"
	prints 'by one error' 1 grep -c . "$work/said"
	matches 'which names what the daemon lacks' "cache export.*\b${kind%%,*}\b" cat "$work/said"
	exits 'and nothing is written' 1 test -e "$work/never" -o -e "$work/never.tar"
done

# The newer one's writes a cache into a registry too.
(
	on_next_engine
	cache=$COGPACK_TEST_REGISTRY/test/cache:$$
	fresh_plan
	builds cache-written "$work/project/plan.cpk" --no-cache --output "type=tar,dest=$work/first.tar" \
		--cache-to "type=registry,ref=$cache,mode=max"
	matches 'the registry holds the cache' buildkit.cacheconfig skopeo inspect --raw --tls-verify=false "docker://$cache"
	cp -R "$work/project" "$work/inline"
	fresh_plan
	builds local-written "$work/project/plan.cpk" --no-cache --output "type=tar,dest=$work/fourth.tar" \
		--cache-from "type=local,src=$work/cache" --cache-to "type=local,dest=$work/cache,mode=max"
	cp -R "$work/project" "$work/local"
	fresh_plan
	image=$COGPACK_TEST_REGISTRY/test/inline:$$
	builds inline-written "$work/project/plan.cpk" --no-cache --tag "$image" --push --cache-to type=inline
	docker run --rm --network "$COGPACK_TEST_NETWORK" "$image" cat /made >"$work/written"
	docker image rm --force "$image" >/dev/null
	# An engine that has never built either.
	DOCKER_HOST=unix://$("$repository/tests/rig/rig" spare-up)
	export DOCKER_HOST
	builds inline-read "$work/project/plan.cpk" --output "type=tar,dest=$work/third.tar" --cache-from "type=registry,ref=$image"
	prints 'with the cache in an image nothing runs' '' steps_run inline-read
	prints 'and what is in that image is there' "$(cat "$work/written")" tar -xOf "$work/third.tar" made
	builds local-read "$work/local/plan.cpk" --output "type=tar,dest=$work/fifth.tar" --cache-from "type=local,src=$work/cache"
	exits 'with the cache in a directory what was run elsewhere is there' 0 cmp <(tar -xOf "$work/fourth.tar" made) <(tar -xOf "$work/fifth.tar" made)
	rm -r "$work/project"
	mv "$work/inline" "$work/project"
	builds cache-read "$work/project/plan.cpk" --output "type=tar,dest=$work/second.tar" --cache-from "type=registry,ref=$cache"
	prints 'with the cache of the registry nothing runs' '' steps_run cache-read
	for one in first second; do tar -xOf "$work/$one.tar" made >"$work/$one.made"; done
	exits 'and what was run elsewhere is there' 0 cmp "$work/first.made" "$work/second.made"
)

#!/usr/bin/env bash
# A secret that a build uses is nowhere afterwards: not in the image, its history or config, not
# in any layer, cache, log, artifact or progress.
# shellcheck source-path=SCRIPTDIR source=support.bash
. "$(dirname "$0")/support.bash"
needs_daemon

cogpackc=${COGPACK_TEST_BINARY:?tests/run builds it and says where it is}
find_bytes=$repository/tests/end-to-end/find-bytes
base=$COGPACK_TEST_REGISTRY/base/debian:bookworm-slim
printf 'secret-%s-%s' "$(head -c 12 /dev/urandom | od -An -tx1 | tr -d ' \n')" "$RANDOM" >"$work/secret"
value=$(cat "$work/secret")
project=$work/project
# A secret's value is no part of what a cached step is known by, so nobody has built this before.
nonce=$RANDOM$RANDOM$RANDOM
mkdir "$project"

# plan SECRET-AS-VARIABLE
plan() {
	cat >"$project/plan.cpk" <<END
cpk 1

image @debian = "$base"

secret token

stage %app from image @debian {
  run "sha256sum </run/secrets/token >/used; : $nonce" {
    mount secret token at /run/secrets/token
  }
$1
}

export from %app
END
}

# keeps_the_secret WHICH: builds with it in all ways, and keeps all that comes of it to be searched.
keeps_the_secret() {
	local which=$1 image=$COGPACK_TEST_REGISTRY/test/secret-$1:$$ kept=$work/kept-$1 form
	mkdir "$kept"
	for form in json plain; do
		exits "the build on the $which engine with progress as $form" 0 sh -c \
			'"$@" >"$0.out" 2>"$0.err" || { tail -n 40 "$0.err"; exit 1; }' "$kept/progress-$form" \
			"$cogpackc" build "$project/plan.cpk" --no-cache --progress "$form" --tag "$image" \
			--metadata-file "$kept/metadata-$form.json" --secret "id=token,src=$work/secret"
	done
	exits 'so does a value that comes from the environment' 0 \
		env THE_VALUE="$value" "$cogpackc" build "$project/plan.cpk" --tag "$image" --secret id=token,env=THE_VALUE
	cp "$work/output" "$kept/from-the-environment"
	prints 'the program was given the secret' "$(sha256sum <"$work/secret")" docker run --rm "$image" cat /used
	for form in llb llb.txt json cpk; do "$cogpackc" "$project/plan.cpk" -o "$form" -O "$kept/$form/" 2>>"$kept/said"; done
	docker save --output "$kept/image.tar" "$image"
	docker history --no-trunc "$image" >"$kept/history"
	docker image inspect "$image" >"$kept/inspected"
	docker push --quiet "$image" >/dev/null
	skopeo copy -q --src-tls-verify=false "docker://$image" "oci:$kept/layout:pushed"
	exits "nothing on the way of the $which engine has it" 1 "$find_bytes" "$work/secret" "$kept"
	# What this search would have found: another word that is in the image, inside a layer.
	sha256sum <"$work/secret" | cut -c1-64 >"$work/known"
	matches 'and the search looks into layers' 'used in .*unpacked|/used$' "$find_bytes" "$work/known" "$kept/layout"
	docker image rm --force "$image" >/dev/null
}
plan ''
on_each_engine keeps_the_secret

(
	on_next_engine
	plan '  run "printf %s \"$TOKEN\" | sha256sum >/used" {
    mount secret token as env TOKEN
  }'
	keeps_the_secret newest
	cache=$COGPACK_TEST_REGISTRY/test/secret-cache:$$
	builds secret-cache "$project/plan.cpk" --no-cache --output "type=tar,dest=$work/image.tar" \
		--secret "id=token,src=$work/secret" --cache-to "type=registry,ref=$cache,mode=max"
	mkdir "$work/cache"
	python3 - "$COGPACK_TEST_REGISTRY" "test/secret-cache" "$$" "$work/cache" <<'END'
import json, pathlib, sys, urllib.request
registry, name, tag, folder = sys.argv[1:]
accept = "application/vnd.oci.image.index.v1+json, application/vnd.oci.image.manifest.v1+json"
def fetch(path):
    request = urllib.request.Request(f"http://{registry}/v2/{name}/{path}", headers={"Accept": accept})
    return urllib.request.urlopen(request, timeout=30).read()
manifest = fetch(f"manifests/{tag}")
pathlib.Path(folder, "manifest").write_bytes(manifest)
document = json.loads(manifest)
blobs = [*document.get("manifests", []), *document.get("layers", []), *filter(None, [document.get("config")])]
for one in blobs:
    pathlib.Path(folder, one["digest"].replace(":", "-")).write_bytes(fetch("blobs/" + one["digest"]))
END
	exits 'no cache in a registry has it' 1 "$find_bytes" "$work/secret" "$work/cache" "$work/image.tar" "$(build_log secret-cache)"
	matches 'though the search looks into its layers too' used "$find_bytes" "$work/known" "$work/cache"
)
for log in "${COGPACK_RIG_HOME:-${TMPDIR:-/tmp}/cogpack-test-rig}"/log/engine-*.log; do
	exits "nor has $(basename "$log")" 1 "$find_bytes" "$work/secret" "$log"
done

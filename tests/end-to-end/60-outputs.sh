#!/usr/bin/env bash
# What the newer engine's BuildKit writes for others is what others read: an archive for `docker
# load`, which either engine takes, and one of a layout, which has the digest that was told.
# shellcheck source-path=SCRIPTDIR source=support.bash
. "$(dirname "$0")/support.bash"
needs_daemon

image=cogpack-test/outputs:$$
cat >"$work/plan.cpk" <<END
cpk 1

image @debian = "$COGPACK_TEST_REGISTRY/base/debian:bookworm-slim"

stage %app from image @debian {
  run "echo made $RANDOM$RANDOM >/made"
}

export from %app {
  label "of" = "the plan"
  cmd ["cat", "/made"]
}
END
(
	on_next_engine
	builds docker "$work/plan.cpk" --tag "$image" --output "type=docker,dest=$work/docker.tar"
	builds oci "$work/plan.cpk" --tag "$image" --output "type=oci,dest=$work/oci.tar" --metadata-file "$work/oci.json"
	builds layout "$work/plan.cpk" --tag "$image" --output "type=layout,dest=$work/layout" --metadata-file "$work/layout.json"
	builds files "$work/plan.cpk" --output "type=tar,dest=$work/files.tar"
)
made=$(tar -xOf "$work/files.tar" made)
is_loaded() {
	exits "the $1 engine loads the archive" 0 docker load --input "$work/docker.tar"
	prints 'and runs it' "$made" docker run --rm --network "$COGPACK_TEST_NETWORK" "$image"
	prints 'with the label of the plan' 'the plan' docker image inspect --format '{{index .Config.Labels "of"}}' "$image"
	docker image rm --force "$image" >/dev/null
}
on_each_engine is_loaded

# told NAME: the digest that was told of that build.
told() { python3 -c 'import json, sys; print(json.load(open(sys.argv[1]))["containerimage.digest"])' "$work/$1.json"; }
prints 'an archive of a layout has the digest that was told' "$(told oci)" \
	skopeo inspect --format '{{.Digest}}' "oci-archive:$work/oci.tar"
prints 'and so has a layout' "$(told layout)" skopeo inspect --format '{{.Digest}}' "oci:$work/layout"
exits 'both are one image' 0 test "$(told oci)" = "$(told layout)"
exits 'which runs without any engine' 0 "$repository/tests/rig/run-oci" "$work/layout:$(python3 -c 'import json, sys
print(json.load(open(sys.argv[1]))["manifests"][0]["annotations"]["org.opencontainers.image.ref.name"])' "$work/layout/index.json")"

# What a change pushes again is told by the image in its registry, of which no layer is fetched.
pushed=$COGPACK_TEST_REGISTRY/test/sizes:$$
exits 'the image goes to a registry' 0 skopeo copy -q --dest-tls-verify=false "oci:$work/layout" "docker://$pushed"
sed 's|echo made|echo changed|' "$work/plan.cpk" >"$work/changed.cpk"
by_registry() { "$COGPACK_TEST_BINARY" diff "$work/plan.cpk" "$work/changed.cpk" --sizes "$pushed" --format json >"$work/diff.json"; }
exits 'plans are compared with its sizes' 1 by_registry
told_of() { python3 -c 'import json, sys; sizes = json.load(open(sys.argv[1]))["sizes"]; print(sizes["stay"], sizes["again"])' "$work/diff.json"; }
sizes_of() {
	skopeo inspect --raw --tls-verify=false "docker://$pushed" |
		python3 -c 'import json, sys; *base, own = [it["size"] for it in json.load(sys.stdin)["layers"]]; print(sum(base), own)'
}
prints 'the base stays, and the layer of the program is pushed again' "$(sizes_of)" told_of

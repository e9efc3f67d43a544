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

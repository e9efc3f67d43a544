#!/usr/bin/env bash
# A plan for two platforms becomes one index, in a layout and in a registry.
# shellcheck source-path=SCRIPTDIR source=support.bash
. "$(dirname "$0")/support.bash"
needs_daemon
on_next_engine

project=$work/language-detector
cp -R "$repository/examples/language-detector" "$project"
# The model alone stands on nothing, so every platform can have it.
sed -i '/^platform /d; s|^cpk 1$|cpk 1\n\nplatform linux/amd64\nplatform linux/arm64|' "$project/app.cpk"

builds an-index-in-a-layout "$project/app.cpk" --output "type=oci,dest=$work/index.tar"
mkdir "$work/layout"
tar -C "$work/layout" -xf "$work/index.tar"
python3 - "$work/layout" >"$work/platforms" <<'END'
import json, pathlib, sys
layout = pathlib.Path(sys.argv[1])
blob = lambda one: json.loads((layout / "blobs" / one["digest"].replace(":", "/")).read_bytes())
index = json.loads((layout / "index.json").read_bytes())
while all("index" in one["mediaType"] for one in index["manifests"]):
    (one,) = index["manifests"]
    index = blob(one)
for one in index["manifests"]:
    config = blob(blob(one)["config"])
    print(one["platform"]["architecture"], config["architecture"], len(config["rootfs"]["diff_ids"]))
END
prints 'the index names both platforms' amd64 sed -n 's/^\(amd64\) amd64 .*/\1/p' "$work/platforms"
prints 'each with a config of its own' arm64 sed -n 's/^\(arm64\) arm64 .*/\1/p' "$work/platforms"
matches 'and no other' '^2 ' wc -l "$work/platforms"

image=$COGPACK_TEST_REGISTRY/test/platforms:$$
builds an-index-in-a-registry "$project/app.cpk" --tag "$image" --push
matches 'the registry has the index' '"architecture": ?"arm64"' skopeo inspect --raw --tls-verify=false "docker://$image"
for architecture in amd64 arm64; do
	exits "and the image for $architecture comes out of it" 0 \
		skopeo copy -q --src-tls-verify=false --override-arch "$architecture" "docker://$image" "oci:$work/pulled:$architecture"
	exits "umoci unpacks that for $architecture" 0 umoci unpack --image "$work/pulled:$architecture" "$work/$architecture"
	exits 'and it holds the project' 0 diff -r "$project/detector" "$work/$architecture/rootfs/src/detector"
done

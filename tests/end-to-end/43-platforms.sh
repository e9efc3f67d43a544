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

# A base for both platforms, of the rig's Debian: each has a layer and a variable of its own.
base=$COGPACK_TEST_REGISTRY/test/two-platforms:$$
python3 - "$COGPACK_TEST_LAYOUTS/debian" "$work/base" <<'END_OF_SCRIPT'
import gzip, hashlib, io, json, pathlib, shutil, sys, tarfile
given, made = map(pathlib.Path, sys.argv[1:])
shutil.copytree(given, made)
def load(one):
    return json.loads((made / "blobs" / one["digest"].replace(":", "/")).read_bytes())
def store(data, kind):
    digest = hashlib.sha256(data).hexdigest()
    (made / "blobs/sha256" / digest).write_bytes(data)
    return {"mediaType": f"application/vnd.oci.image.{kind}", "digest": f"sha256:{digest}", "size": len(data)}
parent = load(json.loads((made / "index.json").read_bytes())["manifests"][0])
manifests = []
for architecture in "amd64", "arm64":
    layer, word = io.BytesIO(), f"the base for {architecture}".encode()
    with tarfile.open(fileobj=layer, mode="w") as tar:
        entry = tarfile.TarInfo("word")
        entry.size = len(word)
        tar.addfile(entry, io.BytesIO(word))
    config = load(parent["config"])
    config["architecture"] = architecture
    config["config"]["Env"].append(f"WORD=for-{architecture}")
    config["rootfs"]["diff_ids"].append("sha256:" + hashlib.sha256(layer.getvalue()).hexdigest())
    config["history"].append({"created_by": f"a word for {architecture}"})
    manifest = parent | {
        "config": store(json.dumps(config).encode(), "config.v1+json"),
        "layers": parent["layers"] + [store(gzip.compress(layer.getvalue(), mtime=0), "layer.v1.tar+gzip")],
    }
    platform = {"os": "linux", "architecture": architecture}
    manifests.append(store(json.dumps(manifest).encode(), "manifest.v1+json") | {"platform": platform})
document = {"schemaVersion": 2, "mediaType": "application/vnd.oci.image.index.v1+json", "manifests": manifests}
index = store(json.dumps(document).encode(), "index.v1+json")
index["annotations"] = {"org.opencontainers.image.ref.name": "both"}
(made / "index.json").write_text(json.dumps({"schemaVersion": 2, "manifests": [index]}))
END_OF_SCRIPT
exits 'a base for two platforms is pushed' 0 skopeo copy -q --all --dest-tls-verify=false "oci:$work/base:both" "docker://$base"
mkdir "$work/on-base"
printf 'of the project\n' >"$work/on-base/file"
cat >"$work/on-base/plan.cpk" <<END
cpk 1

platform linux/amd64
platform linux/arm64

image @base = "$base"

context @source = dir "." {
  include "file"
}

stage %app from image @base {
  copy "file" from @source to "/file"
  env SAID = "\${WORD}, and more"
}

export from %app
END

# shows_each NAME: what each manifest of `$work/NAME`, a layout, has of its base and beside that.
shows_each() {
	python3 - "$work/base" "$work/$1" <<'END_OF_SCRIPT'
import json, pathlib, sys, tarfile
def images(layout):
    path = lambda one: pathlib.Path(layout, "blobs", one["digest"].replace(":", "/"))
    blob = lambda one: json.loads(path(one).read_bytes())
    index = json.loads(pathlib.Path(layout, "index.json").read_bytes())
    while all(one["mediaType"].endswith((".index.v1+json", ".list.v2+json")) for one in index["manifests"]):
        (one,) = index["manifests"]
        index = blob(one)
    for one in index["manifests"]:
        manifest = blob(one)
        layers = [layer["digest"] for layer in manifest["layers"]]
        yield one["platform"]["architecture"], layers, blob(manifest["config"]), path(manifest["layers"][-1])
bases = {architecture: (layers, config) for architecture, layers, config, _ in images(sys.argv[1])}
for architecture, layers, config, last in images(sys.argv[2]):
    below, base = bases[architecture]
    if layers[:2] == below and config["rootfs"]["diff_ids"][:2] == base["rootfs"]["diff_ids"]:
        print(architecture, config["architecture"], len(layers), "layers on its base")
    print(architecture, *sorted(config["config"]["Env"]), sep="; ")
    with tarfile.open(last) as tar:
        for entry in filter(tarfile.TarInfo.isfile, tar):
            print(architecture, entry.name, tar.extractfile(entry).read().decode().strip(), sep="; ")
END_OF_SCRIPT
}
path=PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin
image=$COGPACK_TEST_REGISTRY/test/on-two-platforms:$$
builds on-a-base-for-two-platforms "$work/on-base/plan.cpk" --tag "$image" --push
skopeo copy -q --all --src-tls-verify=false "docker://$image" "oci:$work/on-base.layout:pushed"
shows_each on-base.layout >"$work/shown"
for architecture in amd64 arm64; do
	prints "the image for $architecture has its base below" "$architecture $architecture 3 layers on its base" cat "$work/shown"
	prints 'and its variables' "$architecture; $path; SAID=for-$architecture, and more; WORD=for-$architecture" cat "$work/shown"
	prints 'and the file of the project on top' "$architecture; file; of the project" cat "$work/shown"
done

# Without a daemon: the base out of the registry, and the same as a layout on this machine.
exits 'a build without a daemon makes an index of both' 0 "${COGPACK_TEST_BINARY:?}" build "$work/on-base/plan.cpk" \
	--builder direct --store "$work/store" --progress quiet --output "type=layout,dest=$work/direct"
exits '-o oci does as well' 0 "${COGPACK_TEST_BINARY:?}" "$work/on-base/plan.cpk" -o oci -O "$work/compiled" \
	--layout "base=$work/base:both"
exits 'and both are one' 0 diff -r "$work/direct" "$work/compiled"
shows_each compiled >"$work/shown-compiled"
exits 'which has for each platform what a daemon makes for it' 0 diff "$work/shown" "$work/shown-compiled"
sed -i 's/linux\/arm64/linux\/riscv64/' "$work/on-base/plan.cpk"
exits 'a base that is not there for a platform is refused' 2 "${COGPACK_TEST_BINARY:?}" "$work/on-base/plan.cpk" -o oci \
	-O "$work/refused" --layout "base=$work/base:both"
cp "$work/output" "$work/said"
exits 'by the name of the platform' 0 grep linux/riscv64 "$work/said"
sed -i 's/linux\/riscv64/linux\/arm64/' "$work/on-base/plan.cpk"

# Into the engine, which keeps images as they are.
image=cogpack-test/platforms:$$
builds an-index-in-the-engine "$work/on-base/plan.cpk" --tag "$image"
prints 'the engine has the image for this machine' 'for-amd64, and more' \
	docker run --rm --network "$COGPACK_TEST_NETWORK" "$image" sh -c 'echo "$SAID"'
docker save --output "$work/saved.tar" "$image"
mkdir "$work/saved"
tar -C "$work/saved" -xf "$work/saved.tar"
shows_each saved >"$work/shown-saved"
exits 'and the same for both as the registry' 0 diff "$work/shown" "$work/shown-saved"
docker image rm --force "$image" >/dev/null

#!/usr/bin/env bash
# A layer of a base that gives a file of a layer below another name. Both names have its bytes in a build
# without a daemon, as files of their own: each layer is unpacked by itself, and shared by all bases that
# have it. The layers of the image stay the base's, so whoever unpacks them has one file.
# shellcheck source-path=SCRIPTDIR source=support.bash
. "$(dirname "$0")/support.bash"
needs_root_and_a_runtime

cogpackc=${COGPACK_TEST_BINARY:?tests/run builds it and says where it is}
shell_root "$work/root" sh cat stat
cat >"$work/base.cpk" <<'END'
cpk 1

context @root = dir "root"

stage %base from scratch {
  copy contents "libraries" from @root to "/"
  copy contents "bin" from @root to "/bin"
  file "/share/one" = "bytes\n"
}

export from %base
END
exits 'a base is made' 0 "$cogpackc" "$work/base.cpk" -o oci -O "$work/base" --compression none
cat >"$work/add-a-layer" <<'END'
import hashlib, io, json, pathlib, sys, tarfile

layout = pathlib.Path(sys.argv[1])
blob = lambda digest: layout / "blobs" / digest.replace(":", "/")


def keep(data):
    digest = "sha256:" + hashlib.sha256(data).hexdigest()
    blob(digest).write_bytes(data)
    return {"digest": digest, "size": len(data)}


archive = io.BytesIO()
with tarfile.open(fileobj=archive, mode="w") as layer:
    link = tarfile.TarInfo("share/two")
    link.type, link.linkname = tarfile.LNKTYPE, "share/one"
    layer.addfile(link)
index = json.loads((layout / "index.json").read_text())
manifest = json.loads(blob(index["manifests"][0]["digest"]).read_text())
config = json.loads(blob(manifest["config"]["digest"]).read_text())
added = keep(archive.getvalue())
manifest["layers"].append({"mediaType": "application/vnd.oci.image.layer.v1.tar", **added})
config["rootfs"]["diff_ids"].append(added["digest"])
config["history"].append({"created_by": "ln /share/one /share/two"})
manifest["config"].update(keep(json.dumps(config).encode()))
index["manifests"][0].update(keep(json.dumps(manifest).encode()))
(layout / "index.json").write_text(json.dumps(index))
print(added["digest"].removeprefix("sha256:"))
END
added=$(python3 "$work/add-a-layer" "$work/base")
cat >"$work/plan.cpk" <<'END'
cpk 1

image @base = "base"

stage %app from image @base {
  run "cat /share/two >/said; stat -c '%h %s' /share/one /share/two >/numbers; echo more >>/share/two; cat /share/one >/after"
}

export from %app
END
exits 'an image is built on it' 0 "$cogpackc" build "$work/plan.cpk" --builder direct --layout "base=$work/base" \
	--store "$work/store" --output "type=layout,dest=$work/image" --progress quiet
exits 'it has the layer as it was' 0 test -e "$work/image/blobs/sha256/$added"
exits 'umoci unpacks it' 0 umoci unpack --image "$work/image:latest" "$work/unpacked"
prints 'the program read the bytes by the other name' bytes cat "$work/unpacked/rootfs/said"
prints 'each name was a file of its own' 2 grep -cx '1 6' "$work/unpacked/rootfs/numbers"
prints 'what was written to the one is not in the other' bytes cat "$work/unpacked/rootfs/after"
exits 'umoci unpacks the base' 0 umoci unpack --image "$work/base:latest" "$work/base-unpacked"
prints 'where both are one file' 2 stat --format %h "$work/base-unpacked/rootfs/share/two"

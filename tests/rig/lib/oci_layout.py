#!/usr/bin/env python3
"""Adds one image to an OCI image layout: a root filesystem's tar becomes a layer.

With a parent image, its layers come first and the new layer holds only the difference
between the two root filesystems. The bytes written depend on the arguments alone:
entries are sorted, times are cut at the one given, and gzip stores no time.
"""
import argparse
import gzip
import hashlib
import json
import os
import pathlib
import posixpath
import tarfile
import time

MANIFEST = "application/vnd.oci.image.manifest.v1+json"
CONFIG = "application/vnd.oci.image.config.v1+json"
LAYER = "application/vnd.oci.image.layer.v1.tar+gzip"
TAG = "org.opencontainers.image.ref.name"
XATTR = "SCHILY.xattr."


class Layout:
    """A layout directory: blobs by digest, and an index of tags."""

    def __init__(self, path):
        self.path = pathlib.Path(path)
        self.blobs = self.path / "blobs" / "sha256"
        self.blobs.mkdir(parents=True, exist_ok=True)
        (self.path / "oci-layout").write_text('{"imageLayoutVersion":"1.0.0"}')

    def blob(self, digest):
        return self.blobs / digest.removeprefix("sha256:")

    def load(self, digest):
        return json.loads(self.blob(digest).read_bytes())

    def store(self, value, media_type):
        data = canonical(value)
        digest = "sha256:" + hashlib.sha256(data).hexdigest()
        self.blob(digest).write_bytes(data)
        return {"mediaType": media_type, "digest": digest, "size": len(data)}

    def manifests(self):
        index = self.path / "index.json"
        return json.loads(index.read_bytes())["manifests"] if index.exists() else []

    def image(self, tag):
        """The manifest and the configuration behind a tag."""
        (found,) = [one for one in self.manifests() if one["annotations"][TAG] == tag]
        manifest = self.load(found["digest"])
        return manifest, self.load(manifest["config"]["digest"])

    def tag(self, tag, descriptor):
        kept = [one for one in self.manifests() if one["annotations"][TAG] != tag]
        kept.append({**descriptor, "annotations": {TAG: tag}})
        kept.sort(key=lambda one: one["annotations"][TAG])
        draft = self.path / "index.json.new"
        draft.write_bytes(canonical({"schemaVersion": 2, "manifests": kept}))
        draft.rename(self.path / "index.json")

    def remove_unused(self):
        used = set()
        for descriptor in self.manifests():
            manifest = self.load(descriptor["digest"])
            used |= {one["digest"] for one in [descriptor, manifest["config"], *manifest["layers"]]}
        for path in self.blobs.iterdir():
            if f"sha256:{path.name}" not in used:
                path.unlink()


class Hashing:
    """A file that is only written to, and knows the digest and size of what it got."""

    def __init__(self, file):
        self.file, self.hash, self.size = file, hashlib.sha256(), 0

    def write(self, data):
        self.hash.update(data)
        self.size += len(data)
        return self.file.write(data)

    def flush(self):
        self.file.flush()

    def digest(self):
        return "sha256:" + self.hash.hexdigest()


def canonical(value):
    return json.dumps(value, sort_keys=True, separators=(",", ":")).encode()


def entries(tar):
    """Maps normal names to a tar's entries. The runtime fills /dev, and nobody owns the root."""
    named = {posixpath.normpath("/" + one.name).lstrip("/"): one for one in tar}
    return {name: one for name, one in named.items() if name and not name.startswith("dev/")}


def link_target(entry):
    return posixpath.normpath("/" + entry.linkname).lstrip("/")


def xattrs(entry):
    return {key: value for key, value in entry.pax_headers.items() if key.startswith(XATTR)}


def identities(tar, found, latest):
    """What two root filesystems compare an entry by; a hard link is the file it names."""

    def identity(entry):
        content = None
        if entry.isreg():
            content = hashlib.sha256(tar.extractfile(entry).read()).digest()
        # A directory's time says only that something below it has changed.
        changed = None if entry.isdir() else min(int(entry.mtime), latest)
        return (entry.type, entry.mode, entry.uid, entry.gid, entry.linkname, content, changed,
                entry.devmajor, entry.devminor, sorted(xattrs(entry).items()))

    known = {name: identity(entry) for name, entry in found.items() if not entry.islnk()}
    links = {name: known[link_target(entry)] for name, entry in found.items() if entry.islnk()}
    return known | links


def difference(child, parent):
    """The names whose entries a layer must hold, with their directories, and those it removes."""
    wanted = {name for name in child if child[name] != parent.get(name)}
    for name in list(wanted):
        while name := posixpath.dirname(name):
            wanted.add(name)
    removed = {name for name in parent if name not in child
               and posixpath.dirname(name) in {"", *child}}
    return wanted, removed


def layer_entry(name, entry, latest):
    copy = tarfile.TarInfo(name)
    for field in ("mode", "uid", "gid", "type", "linkname", "devmajor", "devminor", "size"):
        setattr(copy, field, getattr(entry, field))
    copy.mtime = min(int(entry.mtime), latest)
    copy.pax_headers = xattrs(entry)
    return copy


def write_layer(out, tar, found, wanted, removed, latest):
    with tarfile.open(fileobj=out, mode="w|", format=tarfile.PAX_FORMAT) as layer:
        for name in sorted(removed):
            directory, base = posixpath.split(name)
            whiteout = tarfile.TarInfo(posixpath.join(directory, ".wh." + base))
            whiteout.mtime = latest
            layer.addfile(whiteout)
        # A hard link can only name what stands before it.
        for name in sorted(wanted, key=lambda name: (found[name].islnk(), name)):
            entry = found[name]
            if entry.islnk():
                target = link_target(entry)
                if target in wanted:
                    copy = layer_entry(name, entry, latest)
                    copy.linkname, copy.size = target, 0
                    layer.addfile(copy)
                    continue
                # The file it names lies in a layer below, where no link may reach.
                entry = found[target]
            copy = layer_entry(name, entry, latest)
            layer.addfile(copy, tar.extractfile(entry) if entry.isreg() else None)


def add_layer(layout, arguments):
    """Writes the layer's blob; returns its descriptor and its diff ID."""
    latest = arguments.time
    draft = layout.blobs / "layer.new"
    with tarfile.open(arguments.rootfs) as tar, open(draft, "wb") as file:
        found = entries(tar)
        wanted, removed = set(found), set()
        if arguments.parent_rootfs:
            with tarfile.open(arguments.parent_rootfs) as parent_tar:
                below = identities(parent_tar, entries(parent_tar), latest)
            wanted, removed = difference(identities(tar, found, latest), below)
        packed = Hashing(file)
        with gzip.GzipFile("", "wb", fileobj=packed, compresslevel=6, mtime=0) as zipped:
            plain = Hashing(zipped)
            write_layer(plain, tar, found, wanted, removed, latest)
    draft.rename(layout.blob(packed.digest()))
    return {"mediaType": LAYER, "digest": packed.digest(), "size": packed.size}, plain.digest()


def share_layers(source, target, layers):
    for layer in layers:
        if not target.blob(layer["digest"]).exists():
            os.link(source.blob(layer["digest"]), target.blob(layer["digest"]))


def merge_environment(inherited, added):
    merged = dict(one.split("=", 1) for one in [*inherited, *added])
    return [f"{name}={value}" for name, value in merged.items()]


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n", 1)[0])
    parser.add_argument("--rootfs", required=True, metavar="TAR")
    parser.add_argument("--parent", metavar="LAYOUT:TAG")
    parser.add_argument("--parent-rootfs", metavar="TAR")
    parser.add_argument("--env", action="append", default=[], metavar="NAME=VALUE")
    parser.add_argument("--label", action="append", default=[], metavar="NAME=VALUE")
    parser.add_argument("--entrypoint", type=json.loads, metavar="JSON")
    parser.add_argument("--command", type=json.loads, metavar="JSON")
    parser.add_argument("--architecture", required=True)
    parser.add_argument("--time", type=int, required=True, metavar="SECONDS")
    parser.add_argument("image", metavar="LAYOUT:TAG")
    arguments = parser.parse_args()
    if bool(arguments.parent) != bool(arguments.parent_rootfs):
        parser.error("--parent and --parent-rootfs go together")
    if not (arguments.command or arguments.entrypoint):
        parser.error("one of --command and --entrypoint is needed")

    path, tag = arguments.image.rsplit(":", 1)
    layout = Layout(path)
    layers, diff_ids, history, inherited = [], [], [], []
    if arguments.parent:
        parent_path, parent_tag = arguments.parent.rsplit(":", 1)
        parent = Layout(parent_path)
        manifest, config = parent.image(parent_tag)
        layers, diff_ids = manifest["layers"], config["rootfs"]["diff_ids"]
        history, inherited = config["history"], config["config"]["Env"]
        share_layers(parent, layout, layers)

    layer, diff_id = add_layer(layout, arguments)
    created = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(arguments.time))
    started = {"Env": merge_environment(inherited, arguments.env), "Cmd": arguments.command,
               "Entrypoint": arguments.entrypoint,
               "Labels": dict(one.split("=", 1) for one in arguments.label)}
    config = layout.store({
        "created": created, "architecture": arguments.architecture, "os": "linux",
        "config": {name: value for name, value in started.items() if value},
        "rootfs": {"type": "layers", "diff_ids": [*diff_ids, diff_id]},
        "history": [*history, {"created": created, "created_by": f"base image {tag}"}],
    }, CONFIG)
    manifest = layout.store({"schemaVersion": 2, "mediaType": MANIFEST, "config": config,
                             "layers": [*layers, layer]}, MANIFEST)
    layout.tag(tag, manifest)
    layout.remove_unused()
    print(f"{arguments.image} {manifest['digest']} layer of {layer['size']} bytes")


if __name__ == "__main__":
    main()

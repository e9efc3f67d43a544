"""Writes ../pythons.toml: Pythons that lie anywhere, for images that have none of the version asked for.

Run it by hand, with a pip that knows the package index, in this directory:

    python3 pythons.py UV_VERSION

The addresses and hashes are those that uv installs Pythons by: `download-metadata.json` in the
sources of that version of uv, which pip fetches. Of each minor version the newest release is taken,
for the GNU C library, without what only debuggers need.
"""

import json
import os
import subprocess
import sys
import tarfile
import tempfile
from pathlib import Path

HERE = Path(__file__).resolve().parent.parent
PLATFORMS = {"x86_64": "linux/amd64", "aarch64": "linux/arm64"}
OLDEST = 9

# pip asks the build backend of sources for their metadata before it keeps them; this is enough for it.
BACKEND = """
from pathlib import Path
def prepare_metadata_for_build_wheel(directory, settings=None):
    info = Path(directory, "uv-VERSION.dist-info")
    info.mkdir()
    (info / "METADATA").write_text("Metadata-Version: 2.1\\nName: uv\\nVersion: VERSION\\n")
    return info.name
"""


def downloads(version):
    with tempfile.TemporaryDirectory() as directory:
        (Path(directory) / "maturin.py").write_text(BACKEND.replace("VERSION", version))
        command = [sys.executable, "-m", "pip", "download", "--quiet", "--no-deps", "--no-binary", ":all:"]
        command += ["--no-build-isolation", "--dest", directory, f"uv=={version}"]
        subprocess.run(command, check=True, env=os.environ | {"PYTHONPATH": directory})
        with tarfile.open(Path(directory) / f"uv-{version}.tar.gz") as sources:
            name = next(name for name in sources.getnames() if name.endswith("/download-metadata.json"))
            return json.load(sources.extractfile(name))


def is_ours(download):
    arch = download["arch"]
    return (
        (download["name"], download["os"], download["libc"]) == ("cpython", "linux", "gnu")
        and arch["family"] in PLATFORMS
        and not (arch["variant"] or download["variant"] or download["prerelease"])
        and download["minor"] >= OLDEST
        and download["url"].endswith("install_only_stripped.tar.gz")
    )


newest = {}
for download in filter(is_ours, downloads(sys.argv[1]).values()):
    key = (-download["minor"], download["arch"]["family"] != "x86_64")
    if key not in newest or newest[key]["patch"] < download["patch"]:
        newest[key] = download
lines = [
    "# Pythons of python-build-standalone, by their newest patch versions.",
    f"# Made by derive/pythons.py of what uv {sys.argv[1]} knows, which says where its facts are from.",
    "catalogue = 1",
]
for _, download in sorted(newest.items()):
    version = f"{download['major']}.{download['minor']}.{download['patch']}"
    lines += ["", "[[python]]", f'version = "{version}"', f'platform = "{PLATFORMS[download["arch"]["family"]]}"']
    lines += [f'url = "{download["url"]}"', f'digest = "sha256:{download["sha256"]}"']
(HERE / "pythons.toml").write_text("\n".join(lines) + "\n")

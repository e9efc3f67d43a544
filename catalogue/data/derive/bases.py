"""Writes the catalogue of public base images.

The facts stand here once; the files beside this directory are made of them, so that the dozens of
entries cannot disagree. Run it by hand, in this directory, when a fact changes:

    python3 bases.py

Where the facts are from, each read in public repositories:
- tags and architectures of python: docker-library/official-images, library/python;
- tags and architectures of debian: docker-library/official-images, library/debian;
- variables and packages of python: docker-library/python, NN/{slim-,}{bookworm,trixie}/Dockerfile;
- packages of the full ones: docker-library/buildpack-deps, debian/{bookworm,trixie}/Dockerfile;
- what debian and ubuntu lack: those of python and buildpack-deps, which install it;
- nvidia/cuda: Dockerfiles that start from these tags or follow its own, in which the versions of
  cuDNN and the names of packages and variables stand.
No entry has a digest: docs/decisions/0025-pins-belong-to-projects.md says why.
"""

from pathlib import Path

HERE = Path(__file__).resolve().parent.parent
PLATFORMS = ["linux/amd64", "linux/arm64"]
BOTH = ["build", "runtime"]
ALL_PATHS = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"

DEBIAN = {"bookworm": ("12", "12.13"), "trixie": ("13", "13.3")}
UBUNTU = {"22.04": "jammy", "24.04": "noble"}
PYTHONS = ["3.14.0", "3.13.9", "3.12.12", "3.11.14", "3.10.19"]

BARE = ["ca-certificates"]
SLIM = "ca-certificates netbase tzdata".split()
# What the Dockerfiles of both suites install.
FULL = """
autoconf automake bzip2 ca-certificates curl dpkg-dev file g++ gcc git gnupg imagemagick libbluetooth-dev
libbz2-dev libc6-dev libcurl4-openssl-dev libdb-dev libevent-dev libffi-dev libgdbm-dev libglib2.0-dev
libgmp-dev libjpeg-dev libkrb5-dev liblzma-dev libmagickcore-dev libmagickwand-dev libmaxminddb-dev
libpng-dev libpq-dev libreadline-dev libsqlite3-dev libssl-dev libtool libwebp-dev libxml2-dev libyaml-dev
make mercurial netbase openssh-client patch procps subversion tk-dev unzip uuid-dev wget xz-utils
zlib1g-dev
""".split()

# The CUDA, the cuDNN as far as it is known, the word for it in tags, and the Ubuntus.
CUDA = [
    ("13.0.1", "9", "cudnn", ["24.04"]),
    ("12.9.1", "9", "cudnn", ["24.04"]),
    ("12.8.1", "9.8.0.87", "cudnn", ["24.04", "22.04"]),
    ("12.6.3", "9.5.1.17", "cudnn", ["24.04", "22.04"]),
    ("12.4.1", "9.1.0.70", "cudnn", ["22.04"]),
    ("12.1.1", "8.9.0.131", "cudnn8", ["22.04"]),
    ("11.8.0", "8.9.6.50", "cudnn8", ["22.04"]),
]


def text(value):
    return '"' + value + '"'


def image(reference, extent, os, python=None, cuda=None, cudnn=None, packages=(), lacks=(), env=None):
    lines = ["[[image]]", f"reference = {text(reference)}"]
    lines.append(f"platforms = [{', '.join(map(text, PLATFORMS))}]")
    lines.append(f"roles = [{', '.join(map(text, BOTH))}]")
    lines.append(f"extent = {text(extent)}")
    os_id, version, codename = os
    lines.append(f"os = {{ id = {text(os_id)}, version = {text(version)}, codename = {text(codename)} }}")
    if python:
        cells = f'version = {text(python)}, interpreter = "/usr/local/bin/python3", prefix = "/usr/local"'
        lines.append(f"python = {{ {cells} }}")
    if cuda:
        lines.append(f"cuda = {text(cuda)}")
    if cudnn:
        lines.append(f"cudnn = {text(cudnn)}")
    if lacks:
        lines.append(f"lacks = [{', '.join(map(text, lacks))}]")
    if packages:
        lines += ["", "[image.packages]"]
        quoted = lambda name: text(name) if set(name) & set("+.") else name
        lines += [f'{quoted(name)} = ""' for name in sorted(packages)]
    if env:
        lines += ["", "[image.env]"]
        lines += [f"{name} = {text(value)}" for name, value in sorted(env.items())]
    return "\n".join(lines) + "\n"


def write(name, about, images):
    head = "".join(f"# {line}\n" for line in about + ["Made by derive/bases.py, which says where its facts are from."])
    (HERE / name).write_text(head + "catalogue = 1\n\n" + "\n".join(images))


def debian():
    images = []
    for suite, (version, point) in sorted(DEBIAN.items(), reverse=True):
        for ending, extent in (("-slim", "minimal"), ("", "runtime")):
            reference = f"docker.io/library/debian:{point}{ending}"
            images.append(image(reference, extent, ("debian", version, suite), lacks=BARE, env={"PATH": ALL_PATHS}))
    for version, codename in sorted(UBUNTU.items(), reverse=True):
        reference = f"docker.io/library/ubuntu:{version}"
        images.append(image(reference, "minimal", ("ubuntu", version, codename), lacks=BARE, env={"PATH": ALL_PATHS}))
    return images


def python():
    images = []
    for version in PYTHONS:
        env = {"PATH": "/usr/local/bin:" + ALL_PATHS, "PYTHON_VERSION": version}
        if version.split(".")[1] in ("10", "11", "12"):
            env["LANG"] = "C.UTF-8"
        for suite, (debian_version, _) in sorted(DEBIAN.items(), reverse=True):
            os = ("debian", debian_version, suite)
            name = f"docker.io/library/python:{version}"
            images.append(image(f"{name}-slim-{suite}", "runtime", os, version, packages=SLIM, env=env))
            images.append(image(f"{name}-{suite}", "development", os, version, packages=FULL, env=env))
    return images


def cuda():
    images = []
    for version, cudnn, word, ubuntus in CUDA:
        major, minor, _ = version.split(".")
        dashed = f"{major}-{minor}"
        env = {
            "CUDA_VERSION": version,
            "LD_LIBRARY_PATH": "/usr/local/nvidia/lib:/usr/local/nvidia/lib64",
            "NVIDIA_DRIVER_CAPABILITIES": "compute,utility",
            "NVIDIA_VISIBLE_DEVICES": "all",
            "PATH": "/usr/local/nvidia/bin:/usr/local/cuda/bin:" + ALL_PATHS,
        }
        # With it the archive of CUDA's own packages is reached, and it stays.
        base = ["ca-certificates", f"cuda-cudart-{dashed}"]
        runtime = base + [f"cuda-libraries-{dashed}", f"cuda-nvtx-{dashed}", f"libcublas-{dashed}", f"libnpp-{dashed}", "libnccl2"]
        devel = runtime + [f"cuda-libraries-dev-{dashed}", f"cuda-minimal-build-{dashed}", f"libcublas-dev-{dashed}", "libnccl-dev"]
        library = "libcudnn8" if cudnn.startswith("8.") else f"libcudnn9-cuda-{major}"
        header = library.replace("libcudnn8", "libcudnn8-dev").replace("libcudnn9", "libcudnn9-dev")
        for ubuntu in ubuntus:
            os = ("ubuntu", ubuntu, UBUNTU[ubuntu])
            name = f"docker.io/nvidia/cuda:{version}"
            add = lambda flavour, extent, packages, cudnn=None, env=env: images.append(
                image(f"{name}-{flavour}-ubuntu{ubuntu}", extent, os, cuda=version, cudnn=cudnn, packages=packages, env=env)
            )
            devel_env = env | {"LIBRARY_PATH": "/usr/local/cuda/lib64/stubs"}
            add("base", "minimal", base)
            add("runtime", "runtime", runtime)
            add("devel", "development", devel, env=devel_env)
            add(f"{word}-runtime", "runtime", runtime + [library], cudnn)
            add(f"{word}-devel", "development", devel + [library, header], cudnn, devel_env)
    return images


write("debian.toml", ["Debian and Ubuntu as they are."], debian())
write("python.toml", ["The official images of Python, by their newest known patch versions."], python())
write("cuda.toml", ["NVIDIA's images of CUDA, for the versions that current frameworks use."], cuda())

"""Writes ../frameworks.toml: what releases of torch, tensorflow and jax need.

Run it by hand, with a pip of 23.2 or later that knows the package index, in this directory:

    python3 frameworks.py

What is asked of pip, for wheels of linux/amd64 and of linux/arm64 and without installing anything:
- which releases there are, and which Pythons have wheels: the names of the files (for jax, those of
  the jaxlib that it asks for), and `Requires-Python`;
- which CUDA and cuDNN come with a wheel: `nvidia-cuda-runtime-cuNN` or `cuda-toolkit`, and
  `nvidia-cudnn-cuNN`, among what it requires on that machine. Their third number counts patches of
  the package and not of CUDA, so it is left away. What a wheel of torch requires is asked for each
  machine: until 2.10 the ones for linux/arm64 are for the CPU, and require none of it. jax's plugins
  require the same for both, so of these only the names of their files are.

What pip cannot tell stands below, with where it is from.
"""

import json
import re
import subprocess
import sys
import tempfile
from concurrent.futures import ThreadPoolExecutor
from functools import cache
from pathlib import Path

HERE = Path(__file__).resolve().parent.parent
PYTHONS = [f"3.{minor}" for minor in range(8, 16)]
# Platforms, each with what Python calls its machine.
MACHINES = {"linux/amd64": "x86_64", "linux/arm64": "aarch64"}
LIBRARIES = ["manylinux_2_28", "manylinux_2_27", "manylinux_2_17", "manylinux2014", "manylinux2010", "manylinux1"]
# The first release of each that is of interest.
FIRST = {"torch": (1, 13, 0), "tensorflow": (2, 11, 0), "jax": (0, 4, 1)}

# The builds of torch for linux/amd64 on its own index beside the one for the CPU: CUDA and cuDNN by
# minor version.
# From RELEASE.md of pytorch/pytorch, "Release Compatibility Matrix", as it stood with 2.14.
# What came after it is not known here.
TORCH_INDEX = "https://download.pytorch.org/whl/{build}"
TORCH_BUILDS = {
    "1.13": {"11.7": "8.5.0.96", "11.6": "8.3.2.44"},
    "2.0": {"11.8": "8.7.0.84", "11.7": "8.5.0.96"},
    "2.1": {"12.1": "8.9.2.26", "11.8": "8.7.0.84"},
    "2.2": {"12.1": "8.9.2.26", "11.8": "8.7.0.84"},
    "2.3": {"12.1": "8.9.2.26", "11.8": "8.7.0.84"},
    "2.4": {"12.4": "9.1.0.70", "12.1": "9.1.0.70", "11.8": "9.1.0.70"},
    "2.5": {"12.4": "9.1.0.70", "12.1": "9.1.0.70", "11.8": "9.1.0.70"},
    "2.6": {"12.6": "9.5.1.17", "12.4": "9.1.0.70", "11.8": "9.1.0.70"},
    "2.7": {"12.8": "9.7.1.26", "12.6": "9.5.1.17", "11.8": "9.1.0.70"},
    "2.8": {"12.9": "9.10.2.21", "12.8": "9.10.2.21", "12.6": "9.10.2.21"},
    "2.9": {"13.0": "9.13.0.50", "12.8": "9.10.2.21", "12.6": "9.10.2.21"},
    "2.10": {"13.0": "9.15.1.9", "12.8": "9.10.2.21", "12.6": "9.10.2.21"},
    "2.11": {"13.0": "9.17.1.4", "12.8": "9.17.1.4", "12.6": "9.10.2.21"},
    "2.12": {"13.2": "9.20.0.48", "13.0": "9.20.0.48", "12.6": "9.10.2.21"},
    "2.13": {"13.2": "9.20.0.48", "13.0": "9.20.0.48", "12.6": "9.10.2.21"},
    "2.14": {"13.2": "9.24.0.43", "13.0": "9.24.0.43", "12.6": "9.10.2.21"},
}

# The same for linux/arm64, of the same versions of cuDNN: `CUDA_AARCH64_ARCHES` of
# .github/scripts/generate_binary_build_matrix.py in pytorch/pytorch as it stood with 2.8 and with 2.9,
# and pytorch/pytorch#162364, by which they are those of linux/amd64 from 2.9 on; "PyTorch CUDA Support
# Matrix" of RELEASE.md says so of 2.12. That of 2.7 is from pytorch/pytorch#146378. Before it none was
# released.
TORCH_ARM64 = {"2.7": ["12.8"], "2.8": ["12.9"]}
TORCH_ARM64 |= {line: list(TORCH_BUILDS[line]) for line in ("2.9", "2.10", "2.11", "2.12", "2.13", "2.14")}

# tensorflow has no build for a GPU of linux/arm64: until 2.15 its wheel for it requires
# `tensorflow-cpu-aws`, and later ones are that package's successors, which are for the CPU. The extra
# that brings CUDA's libraries can be asked for there too, and nothing uses them.
TENSORFLOW_GPU = ["linux/amd64"]

# The CUDA and cuDNN that tensorflow takes from the machine where its wheels bring none: those it was
# tested with, from site/en/install/source.md of tensorflow/docs. Libraries of one major version of
# CUDA serve programs that were made for an earlier minor one.
TENSORFLOW_BASES = {
    "2.11": (">=11.2,<12", ">=8.1,<9"),
    "2.12": (">=11.8,<12", ">=8.6,<9"),
    "2.13": (">=11.8,<12", ">=8.6,<9"),
}

# Which Python `python3` is in a distribution: packages.debian.org and packages.ubuntu.com.
DISTRIBUTIONS = [("debian", "12", "3.11"), ("debian", "13", "3.13"), ("ubuntu", "22.04", "3.10"), ("ubuntu", "24.04", "3.12")]


def pip(*arguments):
    command = [sys.executable, "-m", "pip", *arguments]
    return subprocess.run(command, capture_output=True, text=True, check=False)


def number(version):
    return tuple(int(part) for part in version.split("."))


def wheels(package):
    """The file names of all wheels, by version; final releases only."""
    found = {}
    log = pip("-vvv", "index", "versions", package).stdout
    for name in re.findall(rf"/({package.replace('-', '[-_]')}-[^/ #]*\.whl)", log):
        version = name[len(package) + 1 :].split("-")[0]
        if re.fullmatch(r"[0-9]+\.[0-9]+\.[0-9]+", version) and number(version) >= FIRST.get(package, (0,)):
            found.setdefault(version, set()).add(name)
    return found


def pythons_of(names, platform_of="linux/amd64"):
    """The Pythons that have a wheel for a platform."""
    machine = MACHINES[platform_of]
    found = set()
    for name in names:
        python, abi, platform = name[: -len(".whl")].rsplit("-", 3)[1:]
        if platform == "any":
            return PYTHONS
        is_ours = ("manylinux" in platform and machine in platform) or platform == f"linux_{machine}"
        if is_ours and not abi.endswith("t"):
            found |= {f"3.{tag[3:]}" for tag in python.split(".") if tag.startswith("cp3")}
    return [python for python in PYTHONS if python in found]


def newest(package, upper):
    """The newest version up to that one; not each number has a release."""
    having = [version for version in WHEELS[package] if number(version) <= number(upper)]
    return max(having, key=number, default=None)


def metadata(package, version, python, platform="linux/amd64"):
    with tempfile.TemporaryDirectory() as directory:
        report = Path(directory) / "report.json"
        done = pip(
            "install", "--no-cache-dir", "--use-feature=fast-deps", "--dry-run", "--no-deps", "--ignore-installed",
            "--ignore-requires-python",
            "--report", str(report), "--python-version", python, "--only-binary", ":all:", "--target", directory,
            *[f"--platform={library}_{MACHINES[platform]}" for library in LIBRARIES], f"{package}=={version}",
        )
        if not report.exists():
            sys.exit(f"{package} {version} for Python {python} on {platform}: {done.stderr}")
        return json.loads(report.read_text())["install"][0]["metadata"]


def allowed(requires_python, pythons):
    """Those of the Pythons that `requires_python` allows."""
    def holds(python, clause):
        operator, bound = re.fullmatch(r"\s*(>=|<|<=|>|!=)\s*([0-9.]+)(?:\.\*)?\s*", clause).groups()
        left, right = number(python), number(bound)[:2]
        return {">=": left >= right, "<": left < right, "<=": left <= right, ">": left > right, "!=": True}[operator]

    clauses = [clause for clause in (requires_python or "").split(",") if clause.strip()]
    return [python for python in pythons if all(holds(python, clause) for clause in clauses)]


def in_order(specifiers):
    return ",".join(sorted(specifiers.replace(" ", "").split(","), key=lambda clause: not clause.startswith((">", "="))))


def minor(specifiers):
    """`==12.8.90` as `==12.8.*`, `>=12.5.82` as `>=12.5`."""
    specifiers = re.sub(r"==([0-9]+\.[0-9]+)(\.[0-9*.]+)?", r"==\1.*", specifiers)
    return in_order(re.sub(r"(>=|<=|<|>)([0-9]+\.[0-9]+)\.[0-9.]+", r"\1\2", specifiers))


def of_gpu(requirements, extra, platform="linux/amd64"):
    """The CUDA and cuDNN that requirements ask for on a platform, under this extra."""
    cuda = cudnn = None
    for requirement in requirements or []:
        pattern = r"([A-Za-z0-9._-]+)(?:\[[^\]]*\])?\s*\(?([^;)]*)\)?\s*;?(.*)"
        name, specifiers, marker = re.fullmatch(pattern, requirement).groups()
        under = re.search(r"extra == ['\"]([^'\"]+)['\"]", marker)
        if (under.group(1).replace("_", "-") if under else None) != extra:
            continue
        if "platform_machine" in marker and MACHINES[platform] not in marker:
            continue
        name = name.lower().replace("_", "-")
        if re.fullmatch(r"nvidia-cuda-runtime(-cu[0-9]+)?|cuda-toolkit", name) and specifiers.strip():
            cuda = minor(specifiers)
        elif re.fullmatch(r"nvidia-cudnn-cu[0-9]+", name) and specifiers.strip():
            cudnn = in_order(specifiers)
    return cuda, cudnn


def torch(version, requirements, platform):
    if platform != "linux/amd64":
        having = pythons_of(WHEELS["torch"][version], platform)
        requirements = metadata("torch", version, asked_of(having), platform).get("requires_dist", [])
    cuda, cudnn = of_gpu(requirements, None, platform)
    builds = [{"cuda": cuda, "cudnn": cudnn}] if cuda or platform != "linux/amd64" else []
    line = ".".join(version.split(".")[:2])
    for other, its_cudnn in TORCH_BUILDS.get(line, {}).items():
        if platform == "linux/arm64" and other not in TORCH_ARM64.get(line, []):
            continue
        # What the wheel of the package index says of the same build is newer than the document.
        its_cudnn = cudnn[2:] if cuda == f"=={other}.*" else its_cudnn
        builds.append({"index": "cu" + other.replace(".", ""), "cuda": f"=={other}.*", "cudnn": f"=={its_cudnn}"})
    builds.append({"index": "cpu"})
    return builds


def tensorflow(version, requirements, platform):
    builds = [{}]
    if platform not in TENSORFLOW_GPU:
        return builds
    cuda, cudnn = of_gpu(requirements, "and-cuda")
    if cuda:
        builds.append({"extra": "and-cuda", "cuda": cuda, "cudnn": cudnn})
    line = ".".join(version.split(".")[:2])
    if line in TENSORFLOW_BASES:
        cuda, cudnn = TENSORFLOW_BASES[line]
        builds.append({"libraries": "base", "cuda": cuda, "cudnn": cudnn})
    return builds


def jax(version, requirements, platform):
    """Each extra that brings a plugin for a CUDA, with what that plugin asks for."""
    builds = [{}]
    for major in ("13", "12"):
        extra, plugin = f"cuda{major}", f"jax-cuda{major}-plugin"
        pattern = rf"{plugin}\[[^\]]*\]\s*\(?([^;)]*)\)?\s*;.*extra == ['\"]{extra}['\"]"
        matches = [re.match(pattern, requirement) for requirement in requirements]
        wanted = next((match.group(1) for match in matches if match), None)
        if not wanted:
            continue
        version_of_plugin = newest(plugin, re.search(r"(?:<=|==)\s*([0-9.]+)", wanted).group(1).strip("."))
        names = WHEELS[plugin].get(version_of_plugin, [])
        if not pythons_of(names, platform):
            continue
        found = of_plugin(plugin, version_of_plugin, pythons_of(names)[-1])
        cuda, cudnn = of_gpu(found.get("requires_dist"), "with-cuda")
        if not cuda:
            continue
        # The plugin takes every CUDA of its major version from that one on.
        cuda = cuda if "<" in cuda else f"{cuda},<{int(major) + 1}"
        builds.append({"extra": extra, "cuda": cuda, "cudnn": cudnn})
    return builds


@cache
def of_plugin(plugin, version, python):
    return metadata(plugin, version, python)


def jaxlib_of(requirements):
    """The newest jaxlib that a release of jax takes."""
    for requirement in requirements:
        match = re.match(r"jaxlib\s*\(?([^;)]*)\)?\s*(?:;(.*))?$", requirement)
        if match and "extra" not in (match.group(2) or ""):
            upper = re.search(r"(?:<=|==)\s*([0-9.]+)", match.group(1))
            if upper:
                return upper.group(1)
    return None


def text(value):
    return '"' + value + '"'


def table(build):
    cells = ", ".join(f"{key} = {text(value)}" for key, value in build.items() if value)
    return "{ " + cells + " }" if cells else "{}"


def release(package, version, platforms, pythons, builds):
    lines = ["[[release]]", f"package = {text(package)}", f"version = {text(version)}"]
    lines.append(f"platforms = [{', '.join(map(text, platforms))}]")
    lines.append(f"python = [{', '.join(map(text, pythons))}]")
    lines.append("builds = [")
    lines += [f"  {table(build)}," for build in builds]
    return "\n".join([*lines, "]"]) + "\n"


WHEELS = {}
BUILDS = {"torch": torch, "tensorflow": tensorflow, "jax": jax}


def asked_of(pythons):
    """One that every release of the time has: what is required differs by Python in nothing of note."""
    return next((python for python in ("3.10", "3.9", "3.11") if python in pythons), pythons[-1])


def one(package, version):
    """The tables of a release: one for all platforms of which the same is true."""
    names = WHEELS[package][version]
    if not pythons_of(names):
        return []
    about = metadata(package, version, "3.12" if package == "jax" else asked_of(pythons_of(names)))
    requirements = about.get("requires_dist", [])
    if package == "jax":
        names = WHEELS["jaxlib"].get(newest("jaxlib", jaxlib_of(requirements) or version), [])
    facts = []
    for platform in MACHINES:
        pythons = allowed(about.get("requires_python"), pythons_of(names, platform))
        if not pythons:
            continue
        fact = (pythons, BUILDS[package](version, requirements, platform))
        same = next((platforms for platforms, other in facts if other == fact), None)
        if same:
            same.append(platform)
        else:
            facts.append(([platform], fact))
    print(package, version, file=sys.stderr)
    return [release(package, version, platforms, *fact) for platforms, fact in facts]


def main():
    for package in (*FIRST, "jaxlib", "jax-cuda12-plugin", "jax-cuda13-plugin"):
        WHEELS[package] = wheels(package)
    every = [(package, version) for package in FIRST for version in sorted(WHEELS[package], key=number, reverse=True)]
    with ThreadPoolExecutor(3) as pool:
        releases = list(pool.map(lambda pair: one(*pair), every))
    parts = [
        "# What releases of frameworks need, by their wheels for each platform, and the Python of distributions.\n"
        "# Made by derive/frameworks.py, which says where its facts are from.\nframeworks = 1\n"
    ]
    parts.append(f'[[framework]]\npackage = "torch"\nindex = "{TORCH_INDEX}"\n')
    parts += [f'[[framework]]\npackage = "{package}"\n' for package in FIRST if package != "torch"]
    for name, version, python in DISTRIBUTIONS:
        parts.append(f'[[distribution]]\nid = "{name}"\nversion = "{version}"\npython = "{python}"\n')
    parts += [release for tables in releases for release in tables]
    (HERE / "frameworks.toml").write_text("\n".join(parts))


if __name__ == "__main__":
    main()

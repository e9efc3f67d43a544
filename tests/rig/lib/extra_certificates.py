#!/usr/bin/env python3
"""Writes the certificates that this machine trusts beyond Debian's own into a directory.

Where HTTPS passes through a proxy that signs with its own authority, only a container
that trusts the same authority can reach anything.
"""
import pathlib
import re
import sys

TRUSTED = pathlib.Path("/etc/ssl/certs/ca-certificates.crt")
DEBIAN = pathlib.Path("/usr/share/ca-certificates")
CERTIFICATE = re.compile(r"-----BEGIN CERTIFICATE-----.*?-----END CERTIFICATE-----", re.DOTALL)


def certificates(path):
    """Maps each certificate of a file, without its line breaks, to its text."""
    texts = CERTIFICATE.findall(path.read_text(errors="replace"))
    return {"".join(text.split()): text for text in texts}


def main():
    (target,) = map(pathlib.Path, sys.argv[1:])
    known = {key for path in DEBIAN.rglob("*.crt") for key in certificates(path)}
    extra = {key: text for key, text in certificates(TRUSTED).items() if key not in known}
    for number, key in enumerate(sorted(extra), start=1):
        (target / f"machine-{number}.crt").write_text(extra[key] + "\n")


if __name__ == "__main__":
    main()

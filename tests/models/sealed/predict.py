"""A secret is used while the image is made: what came of it is there, and the secret is not."""

import hashlib
from pathlib import Path


def licensed(licence: str) -> str:
    if Path("/run/secrets/licence").exists():
        return "the secret is in the image"
    same = Path("/opt/licence.sum").read_text().strip() == hashlib.sha256(licence.encode()).hexdigest()
    return "licensed" if same else "another licence"

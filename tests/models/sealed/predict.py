"""Commands make the image: what came of a secret is there, and the secret is not; what pip installed is found."""

import hashlib
from pathlib import Path

import seal


def licensed(licence: str) -> str:
    if Path("/run/secrets/licence").exists():
        return "the secret is in the image"
    same = Path("/opt/licence.sum").read_text().strip() == hashlib.sha256(licence.encode()).hexdigest()
    return seal.WORD if same else "another licence"

# test schema
# Every plain type, with and without a default.

from typing import Any

from cog import BaseRunner, File, Path, Secret


class Runner(BaseRunner):
    def run(self, s: str, i: int = 1, f: float = 1, b: bool = True, p: Path = None, q: File = None, k: Secret = None, d: dict = {"a": 1}, a: Any = None) -> str:
        ...

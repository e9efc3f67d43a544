# test schema
# Defaults that break the rules of their inputs.

from cog import BaseRunner, Input, Path, File, Secret


class Runner(BaseRunner):
    def run(self, a: int = Input(default=0, ge=1), b: float = Input(default=2.5, le=2), c: str = Input(default="", min_length=1), d: str = Input(default="abc", max_length=2), e: str = Input(default="B", regex="^[a-z]$"), f: str = Input(default="c", choices=["a", "b"]), g: list[int] = Input(default=[1, 9], le=5)) -> str:
        ...

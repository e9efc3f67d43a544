# test schema
# Defaults of another type.

from cog import BaseRunner, Input, Path, File, Secret


class Runner(BaseRunner):
    def run(self, a: int = "1", b: int = Input(default=0.5), c: list[str] = "a,b", d: str = Input(default=1), e: bool = 1, f: "int | bool" = Input(default="x")) -> str:
        ...

# test schema
# Rules that leave nothing.

from cog import BaseRunner, Input, Path, File, Secret


class Runner(BaseRunner):
    def run(self, a: int = Input(ge=2, le=1), b: str = Input(min_length=5, max_length=4), c: int = Input(choices=["a", "b"]), d: int = Input(choices=[1, 2], ge=1)) -> str:
        ...

# test schema
# Values that JSON does not have.

from cog import BaseRunner, Input, Path, File, Secret


class Runner(BaseRunner):
    def run(self, a: float = Input(default=1e999), b: int = Input(default=2**100), c: dict = Input(default={(1, 2): 3})) -> str:
        ...

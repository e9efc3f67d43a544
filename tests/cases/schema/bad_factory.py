# test schema
# A default that would have to be made.

from cog import BaseRunner, Input, Path, File, Secret


class Runner(BaseRunner):
    def run(self, a: list[str] = Input(default_factory=list)) -> str:
        ...

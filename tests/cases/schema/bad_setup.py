# test schema
# A setup that wants what nobody gives it.

from cog import BaseRunner, Input


class Runner(BaseRunner):
    def setup(self, device, *rest, cache="x"): ...

    def run(self) -> str: ...

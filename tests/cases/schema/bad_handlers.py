# test schema
# Both names of the handler, which cog refuses.

from cog import BaseRunner, Input


class Runner(BaseRunner):
    def run(self) -> str: ...

    def predict(self) -> str: ...

# test schema
# A file that does not parse, at the place.

from cog import BaseRunner, Input


class Runner(BaseRunner):
    def run(self, a: int = Input(default=1, ge=)) -> str:
        return a

# test schema
# Arguments that Input does not take.

from cog import BaseRunner, Input

OPTIONS = {}


class Runner(BaseRunner):
    def run(self, a: int = Input(1, 2), b: int = Input(minimum=1, descripton="x"), c: int = Input(**OPTIONS)) -> str:
        ...

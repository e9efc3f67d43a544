# test schema
# Only `self` stands before the `/`.

from cog import BaseRunner


class Runner(BaseRunner):
    def run(self, /, text: str) -> str: ...

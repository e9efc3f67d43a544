# test schema
# Inputs before `/` cannot be given by their names, as requests give them.

from cog import BaseRunner


class Runner(BaseRunner):
    def run(self, text: str, more: int = 1, /, last: int = 2) -> str: ...

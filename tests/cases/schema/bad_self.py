# test schema
# A method that has no self.

from cog import BaseRunner, Input


class Runner(BaseRunner):
    def run(text: str) -> str: ...

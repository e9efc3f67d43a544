# test schema
# A model that gives nothing.

from cog import BaseRunner


class Runner(BaseRunner):
    def run(self) -> None:
        ...

# test schema
# A class without a handler, with one that is near.

from cog import BaseRunner, Input


class Runner(BaseRunner):
    def rnu(self) -> str: ...

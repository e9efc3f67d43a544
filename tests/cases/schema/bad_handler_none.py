# test schema
# A class without anything like a handler.

from cog import BaseRunner, Input


class Runner(BaseRunner):
    def setup(self): ...

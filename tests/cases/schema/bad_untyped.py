# test schema
# Nothing says what goes in and what comes out; all of it is told.

from cog import BaseRunner, Input


class Runner(BaseRunner):
    def run(self, a, b=1, *args, c: str, **kwargs):
        ...

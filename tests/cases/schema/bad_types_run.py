# test schema
# A type that depends on what the program does.

from cog import BaseRunner, Input

import sys
if sys.platform == "linux":
    Size = int
else:
    Size = str


class Runner(BaseRunner):
    def run(self, a: Size) -> str:
        ...

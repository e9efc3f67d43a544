# test schema
# Of two imports that stand in for each other, the first is meant.

try:
    from typing import Literal
except ImportError:
    from typing_extensions import Literal

from cog import BaseRunner


class Runner(BaseRunner):
    def run(self, a: Literal["x", "y"]) -> str:
        return a

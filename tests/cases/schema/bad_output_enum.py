# test schema
# An enum as output.

from enum import Enum

from cog import BaseRunner


class Color(Enum):
    RED = 1


class Runner(BaseRunner):
    def run(self) -> Color: ...

# test schema
# A literal is one of its type.

from typing import Literal

from cog import BaseRunner


class Runner(BaseRunner):
    def run(self) -> Literal["yes", "no"]:
        ...

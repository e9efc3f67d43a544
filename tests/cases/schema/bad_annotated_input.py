# test schema
# Rules inside `Annotated`, where cog does not look for them.

from typing import Annotated

from cog import BaseRunner, Input


class Runner(BaseRunner):
    def run(self, count: Annotated[int, Input(ge=1)] = 1) -> str: ...

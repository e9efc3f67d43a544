# test schema
# A list of lists.

from typing import List

from cog import BaseRunner


class Runner(BaseRunner):
    def run(self) -> List[list[float]]:
        ...

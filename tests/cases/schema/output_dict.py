# test schema
# Dicts of what is in them.

from typing import Dict

from cog import BaseRunner


class Runner(BaseRunner):
    def run(self) -> dict[str, Dict[str, list[int]]]:
        ...

# test schema
# Types that mean nothing: a slip, one not imported, one that is nowhere.

from typing import Optional

from cog import BaseRunner


class Runner(BaseRunner):
    def run(self, a: Optinal[str], b: Path, c: Nowhere, d: strr) -> str:
        ...

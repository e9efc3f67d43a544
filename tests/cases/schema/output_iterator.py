# test schema
# Files that come one after another.

from typing import Iterator

from cog import BaseRunner, Path


class Runner(BaseRunner):
    def run(self) -> Iterator[Path]:
        ...

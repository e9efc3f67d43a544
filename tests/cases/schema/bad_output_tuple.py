# test schema
# A tuple, which no answer holds.

from typing import Generator, Iterator, Optional

from cog import BaseRunner, ConcatenateIterator


class Runner(BaseRunner):
    def run(self) -> tuple[str, int]:
        ...

# test schema
# A generator, which cog knows as an iterator.

from typing import Generator, Iterator, Optional

from cog import BaseRunner, ConcatenateIterator


class Runner(BaseRunner):
    def run(self) -> Generator[str, None, None]:
        ...

# test schema
# An iterator in a list.

from typing import Generator, Iterator, Optional

from cog import BaseRunner, ConcatenateIterator


class Runner(BaseRunner):
    def run(self) -> list[Iterator[str]]:
        ...

# test schema
# An output of two types.

from typing import Generator, Iterator, Optional

from cog import BaseRunner, ConcatenateIterator


class Runner(BaseRunner):
    def run(self) -> str | int:
        ...

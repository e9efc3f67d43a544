# test schema
# A list whose values may be None.

from typing import Generator, Iterator, Optional

from cog import BaseRunner, ConcatenateIterator


class Runner(BaseRunner):
    def run(self) -> list[str | None]:
        ...

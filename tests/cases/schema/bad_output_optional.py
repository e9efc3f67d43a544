# test schema
# An output that may be None.

from typing import Generator, Iterator, Optional

from cog import BaseRunner, ConcatenateIterator


class Runner(BaseRunner):
    def run(self) -> Optional[str]:
        ...

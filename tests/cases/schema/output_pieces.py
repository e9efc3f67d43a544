# test schema
# Text that comes in pieces.

from cog import BaseRunner, ConcatenateIterator


class Runner(BaseRunner):
    def run(self) -> ConcatenateIterator[str]:
        ...

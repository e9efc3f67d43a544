# test schema
# A default by a constant of the class itself.

from cog import BaseRunner, Input


class Runner(BaseRunner):
    SIZES = ["a", "b"]
    SIZE = "b"

    def run(self, size: str = Input(default=SIZE, choices=SIZES)) -> str:
        return size

# test schema
# A file of the model.

from cog import BaseRunner, Path


class Runner(BaseRunner):
    def run(self) -> Path:
        ...

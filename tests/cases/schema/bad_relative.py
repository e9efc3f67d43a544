# test schema
# The file of the model imports relatively, which fails when it starts.
# run: src/run.py:Runner
--- src/run.py
from .helper import SIZE
from cog import BaseRunner


class Runner(BaseRunner):
    def run(self, size: int = SIZE) -> str: ...
--- src/helper.py
SIZE = 1

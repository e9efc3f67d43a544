# test schema
# A name that is slightly another.
# run: run.py:Runer

from cog import BaseRunner, Input, Path, File, Secret


class Runner(BaseRunner):
    def run(self, a: str) -> str:
        ...

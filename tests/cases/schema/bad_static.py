# test schema
# A static method, which cog's server does not find on its object.

from cog import BaseRunner


class Runner(BaseRunner):
    @staticmethod
    def run(text: str) -> str: ...

# test schema
# A description that only running tells is left out, as cog leaves it out; what else is said counts.

from cog import BaseRunner, Input

SIZE = 4


class Runner(BaseRunner):
    def run(self, count: int = Input(description=f"up to {SIZE}", le=SIZE)) -> str: ...

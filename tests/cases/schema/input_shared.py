# test schema
# An Input that several parameters share, by a name and as an attribute.

from cog import BaseRunner, Input

SEED = Input(default=1, ge=0)


class Inputs:
    prompt = Input(description="shared")


class Runner(BaseRunner):
    def run(self, a: int = SEED, b: str = Inputs.prompt) -> str:
        ...

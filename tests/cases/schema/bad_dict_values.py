# test schema
# Values of a dict that are of a package are told where they are asked for, and so is a text too large.

from cog import BaseRunner, Input
from diffusers import DDIMScheduler

SCHEDULERS = {"DDIM": DDIMScheduler}


class Runner(BaseRunner):
    def run(self, a: str = Input(choices=list(SCHEDULERS.values())),
        b: str = Input(default=SCHEDULERS["DDIM"]),
        c: str = Input(default=SCHEDULERS["PNDM"]),
        d: str = Input(choices=list({DDIMScheduler: 1})),
        e: str = Input(default="x" * 100_000_000)) -> str:
        ...

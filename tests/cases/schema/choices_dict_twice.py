# test schema
# A key that a dict has twice keeps its first place and gets its last value; `1`, `1.0` and `True` are one key.

from cog import BaseRunner, Input
from diffusers import DDIMScheduler, PNDMScheduler

WIDTHS = {"small": 256, "large": 1024, "small": 512}
SCHEDULERS = {"PNDM": PNDMScheduler, "DDIM": DDIMScheduler, "PNDM": DDIMScheduler}
NUMBERS = {1: "one", 2: "two", 1.0: "point", True: "true", "1": "text"}


class Runner(BaseRunner):
    def run(self, a: str = Input(choices=list(WIDTHS)),
        b: int = Input(default=WIDTHS["small"], choices=list(WIDTHS.values())),
        c: str = Input(choices=WIDTHS.keys()),
        d: str = Input(choices=[name for name in WIDTHS]),
        e: int = Input(default=len(WIDTHS)),
        f: str = Input(choices=list(SCHEDULERS)),
        g: int = Input(default=len(SCHEDULERS)),
        h: str = Input(default=NUMBERS[1], choices=list(NUMBERS.values())),
        i: int = Input(default=len(NUMBERS))) -> str:
        ...

# test schema
# Keys of a dict are known though its values are of a package, and so is an item that is known itself.

from cog import BaseRunner, Input
from diffusers import DDIMScheduler, PNDMScheduler

SCHEDULERS = {"PNDM": PNDMScheduler, "DDIM": DDIMScheduler}
SIZES = {"small": {"class": PNDMScheduler, "width": 512}, "large": {"class": load(), "width": 1024}}


class Runner(BaseRunner):
    KINDS = {"one": DDIMScheduler.one, "two": lambda: 2}

    def run(self, a: str = Input(default="DDIM", choices=list(SCHEDULERS.keys())),
        b: str = Input(choices=list(SCHEDULERS)),
        c: str = Input(choices=sorted(SCHEDULERS)),
        d: str = Input(choices=SCHEDULERS.keys()),
        e: str = Input(choices=["the " + name for name in SCHEDULERS]),
        f: int = Input(default=SIZES["small"]["width"], le=SIZES["large"]["width"]),
        g: str = Input(choices=list(SIZES["small"])),
        h: str = Input(choices=list(KINDS)),
        i: int = Input(default=len(SCHEDULERS)),
        j: str = Input(default="-" * 3)) -> str:
        ...

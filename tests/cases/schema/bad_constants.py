# test schema
# Defaults, choices and descriptions that only running tells.

import os

import numpy as np
from cog import BaseRunner, Input

NAME = "x"
SIZES = ["a"]
SIZES.append("b")
EITHER = "a"
if NAME:
    EITHER = "b"


class Runner(BaseRunner):
    def run(self, a: str = Input(default=f"{NAME}"),
        b: str = Input(choices=load()),
        c: int = Input(le=np.iinfo(np.int32).max),
        d: str = os.environ["HOME"],
        e: str = Input(choices=SIZES),
        f: str = Input(default=nowhere),
        g: str = Input(choices=[x for x in SIZES if x]),
        h: str = Input(default=EITHER),
        i: str = Input(default=...)) -> str:
        ...

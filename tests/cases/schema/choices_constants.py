# test schema
# Choices by constants: lists joined, keys of a dict, comprehensions, ranges.

from cog import BaseRunner, Input

SIZES = ["s", "m"]
EXTRA = ("l",)
MODELS = {"slow": 1, "fast": 2}
DEFAULT = "fast"
LIMIT = 2**32
PREFIX = "my "


class Runner(BaseRunner):
    def run(self, a: str = Input(choices=SIZES + EXTRA),
        b: str = Input(default=DEFAULT, choices=list(MODELS.keys())),
        c: int = Input(choices=list(MODELS.values())),
        d: str = Input(choices=[str(n) for n in range(1, 4)]),
        e: str = Input(choices=sorted(MODELS)),
        g: str = Input(default=SIZES[0], choices=SIZES),
        h: int = Input(default=MODELS["fast"], le=LIMIT - 1),
        i: str = Input(default=PREFIX + "x", description=PREFIX)) -> str:
        ...

# test schema
# An Input that a function or a static method returns, and one of the class itself: each is known without a call.
--- run.py
from cog import BaseRunner, Input

from data import steps

STRENGTH = 0.5


def strength(default=STRENGTH, most: float = 1.0):
    return Input(description="How strongly", default=default, ge=0.0, le=most)


SEED = steps()


class Inputs:
    """What several models take."""

    SIZES = ["small", "large"]

    @staticmethod
    def prompt():
        """The text."""
        # What it is asked.
        return Input(description="What it is asked", min_length=1)

    @classmethod
    def size(cls, default):
        return Input(default=default, choices=["small", "large"])

    shape = Input(default="small", choices=SIZES)


class Runner(BaseRunner):
    COUNT = Input(default=1, ge=1, le=4)

    @staticmethod
    def extra():
        return Input(default="none")

    def run(self, prompt: str = Inputs.prompt(),
        strength: float = strength(),
        weak: float = strength(0.1, most=0.2),
        size: str = Inputs.size(default="large"),
        shape: str = Inputs.shape,
        count: int = COUNT,
        extra: str = extra(),
        seed: int = SEED,
        steps: int = steps()) -> str:
        ...
--- data.py
from cog import Input

MOST = 50


def steps():
    return Input(default=20, ge=1, le=MOST)

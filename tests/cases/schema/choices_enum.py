# test schema
# Members of an enum stand for their values, as cog takes them.

from enum import Enum, IntEnum

from cog import BaseRunner, Input

class Color(str, Enum):
    RED = "red"
    BLUE = "blue"


class Level(IntEnum):
    LOW = 1
    HIGH = 2


class Runner(BaseRunner):
    def run(self, a: str = Input(default=Color.RED, choices=[Color.RED, Color.BLUE]), b: str = Input(default=Color.RED.value, choices=[c.value for c in Color]), d: int = Input(choices=list(Level))) -> str:
        ...

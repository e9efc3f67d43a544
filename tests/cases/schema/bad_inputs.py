# test schema
# Types that no request can send.

from enum import Enum
from typing import Iterator, Literal

from cog import BaseModel, BaseRunner, Path

class Color(Enum):
    RED = "red"


class Answer(BaseModel):
    text: str


class Runner(BaseRunner):
    def run(self, a: Color, b: Answer, c: list[list[int]], d: "Path | str", e: tuple[int, int], f: set, g: list[int | str], h: Iterator[str], i: None, j: "Literal[1] | str") -> str:
        ...

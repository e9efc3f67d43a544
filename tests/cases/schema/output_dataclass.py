# test schema
# A dataclass, with a base, a factory and a variable of the class.

import dataclasses
from dataclasses import dataclass, field
from typing import ClassVar, Iterator

from cog import BaseRunner


@dataclass
class Base:
    kind: ClassVar[str] = "x"
    a: int


@dataclasses.dataclass
class Answer(Base):
    b: list[int] = field(default_factory=list)
    a: float


class Runner(BaseRunner):
    def run(self) -> Iterator[Answer]:
        ...

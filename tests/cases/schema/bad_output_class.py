# test schema
# Classes whose fields nobody knows, and a field whose type is unknown.

from enum import Enum

from cog import BaseModel, BaseRunner
from torch import Tensor


class Plain:
    def __init__(self):
        self.text = ""


class Answer(BaseModel):
    plain: Plain
    tensor: Tensor
    either: int | str


class Runner(BaseRunner):
    def run(self) -> Answer: ...

# test schema
# Keys that are there always, and keys that are not.

from typing import NotRequired, Required, TypedDict

from cog import BaseRunner


class Part(TypedDict, total=False):
    a: int
    b: Required[str]


class Answer(TypedDict):
    part: Part
    extra: NotRequired[list[str]]


class Runner(BaseRunner):
    def run(self, part: Part) -> Answer:
        ...

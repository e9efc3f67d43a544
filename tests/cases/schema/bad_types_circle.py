# test schema
# An alias that stands for itself, and two that stand for each other.

from cog import BaseRunner, Input

A = list["A"]
B = dict[str, "C"]
C = dict[str, "B"]


class Runner(BaseRunner):
    def run(self, a: A, b: B) -> str:
        ...

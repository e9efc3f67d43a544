# test schema
# Types with too few or too many arguments.

from typing import Iterator, Literal, Optional, Union

from cog import BaseRunner


class Runner(BaseRunner):
    def run(self, a: Optional, b: list[int, str], c: dict[str], d: Literal[()], e: Union) -> Iterator:
        ...

# test schema
# JSON types stand together in an input.

from typing import Any, Dict, List, Literal, Optional, Union

from cog import BaseRunner


class Runner(BaseRunner):
    def run(self, a: int | str, b: Union[bool, float, None] = None, c: "str | list[str]" = "x", d: int | str | dict = 3) -> str:
        ...

# test schema
# Lists of each type, with defaults that are lists, and a bare list.

from typing import Any, Dict, List, Literal, Optional, Union

from cog import BaseRunner, Input, Path


class Runner(BaseRunner):
    def run(self, a: list[str], b: List[int] = Input(default=[1, 2]), c: list[Path] = [], d: list = [{"a": 1}], e: list[dict[str, int]] = Input(default=None), f: Optional[list[float]] = None) -> str:
        ...

# test schema
# A literal is a choice of its values; of two types it is a union of them.

from typing import Any, Dict, List, Literal, Optional, Union

from cog import BaseRunner

Size = Union[Literal["l"], Literal["xl"]]


class Runner(BaseRunner):
    def run(self, size: Literal["small", "large"] = "small", n: Literal[1, 2, 4] = 1, mixed: Literal["auto", 1, None] = "auto", many: list[Literal["a", "b"]] = ["a"], alias: "Size" = "xl") -> str:
        ...

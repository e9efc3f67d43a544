# test schema
# Annotated is the type in it, unless it is opaque.

from typing import Annotated, Optional

from cog import BaseRunner, Opaque
from torch import Tensor


class Runner(BaseRunner):
    def run(
        self,
        a: Annotated[int, "a note"],
        b: Annotated[Tensor, Opaque],
        c: Annotated[list[Tensor], Opaque] = [],
        d: Annotated[Optional[Tensor], Opaque] = None,
        e: list[Annotated[Tensor, Opaque]] = [],
    ) -> Annotated[list[Tensor], Opaque]:
        ...

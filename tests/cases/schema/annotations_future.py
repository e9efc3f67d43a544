# test schema
# Annotations that are never run read the same, and so do those in quotes.

from __future__ import annotations

from typing import TYPE_CHECKING, Optional

from cog import BaseRunner, Path

if TYPE_CHECKING:
    from numpy import ndarray


class Runner(BaseRunner):
    def run(self, image: Path, size: "Optional[int]" = None, mask: Path | None = None) -> Answer:
        array: ndarray = ...


from cog import BaseModel


class Answer(BaseModel):
    text: str

# test schema
# Fields with defaults, optional ones, models in models, and one that holds itself.

from typing import Dict, List, Optional

from cog import BaseModel, BaseRunner, Path
from pydantic import Field


class Box(BaseModel):
    """A rectangle."""

    x: float
    label: str = "none"


class Base(BaseModel):
    id: int
    note: Optional[str]


class Answer(Base):
    boxes: List[Box]
    scores: Dict[str, float] = Field(default_factory=dict)
    image: Path = Field(..., description="the picture")
    mask: "Path | None" = None
    count: int = Field(default=3)
    children: "list[Answer]" = []
    _hidden: int = 0

    def area(self) -> float:
        return 0


class Runner(BaseRunner):
    def run(self) -> Answer:
        ...

# test schema
# Packages, relative imports in them, a module of a package, names passed on, all names at once.
--- run.py
from cog import BaseRunner, Input

import models.answers as answers
import settings.limits
from models import Answer, shapes
from settings import *


class Runner(BaseRunner):
    def run(
        self,
        style: str = Input(default=DEFAULT_STYLE, choices=STYLES),
        steps: int = Input(default=1, le=settings.limits.MOST),
        size: shapes.Size = "s",
    ) -> Answer:
        ...
--- models/__init__.py
from .answers import Answer
--- models/answers.py
from cog import BaseModel

from ..settings.limits import MOST
from . import shapes


class Answer(BaseModel):
    size: shapes.Size
    most: int = MOST
--- models/shapes.py
from typing import Literal

Size = Literal["s", "l"]
--- settings/__init__.py
STYLES = ["plain", "wild"]
DEFAULT_STYLE = STYLES[0]
--- settings/limits.py
MOST = 50

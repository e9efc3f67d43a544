"""What the model beside this file takes and gives."""

from cog import BaseModel

COLOURS = ["red", "green", "blue"]
LARGEST = 3


class Paint(BaseModel):
    colour: str
    pots: int

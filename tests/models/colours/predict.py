"""Types and choices that stand in another file."""

from cog import BaseRunner, Input

from kinds import COLOURS, LARGEST, Paint


class Predictor(BaseRunner):
    def run(
        self,
        colour: str = Input(choices=COLOURS),
        pots: int = Input(default=1, ge=1, le=LARGEST),
    ) -> Paint:
        return Paint(colour=colour, pots=pots)

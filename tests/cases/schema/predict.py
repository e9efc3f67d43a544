# test schema
# A class with the older name of its method, without a base, with a setup that takes weights.
# run: run.py:Predictor

from typing import Optional

from cog import Path


class Predictor:
    async def setup(self, weights: Optional[Path] = None) -> None:
        self.model = weights

    def predict(self, x: int) -> int:
        return x

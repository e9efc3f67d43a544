# test schema
# Numbers in lists and objects, as numeric models are written.

import numpy as np
from cog import BaseModel, BaseRunner, Input


class Prediction(BaseModel):
    labels: list[str]
    probabilities: list[float]
    shape: list[int] = []


class Runner(BaseRunner):
    def run(self, values: list[float], top: int = Input(default=3, ge=1, le=10 * 100)) -> Prediction:
        array = np.array(values)
        return Prediction(labels=[], probabilities=array.tolist())

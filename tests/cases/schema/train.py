# test schema
# A training has components and paths of its own.
# train: run.py:train
# whole

from cog import BaseModel, Path


class TrainingOutput(BaseModel):
    weights: Path


def train(data: Path, epochs: int = 1) -> TrainingOutput:
    ...

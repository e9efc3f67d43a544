# test schema
# A method of a base class in another file, and a decorator that nobody knows.
--- run.py
from base import Base


class Runner(Base):
    def setup(self):
        pass
--- base.py
import torch
from cog import BaseRunner, Input
from options import STEPS


class Base(BaseRunner):
    @torch.inference_mode()
    def run(self, steps: int = Input(default=STEPS, ge=1)) -> str:
        return "x"
--- options.py
STEPS = 4 * 5

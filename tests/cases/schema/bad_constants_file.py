# test schema
# A constant that is not known, in the file where it stands.
--- run.py
from cog import BaseRunner, Input
from options import SIZES


class Runner(BaseRunner):
    def run(self, size: str = Input(choices=SIZES)) -> str: ...
--- options.py
import glob

SIZES = glob.glob("*.bin")

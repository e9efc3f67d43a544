# test schema
# Types of packages.

import numpy as np
from cog import BaseRunner
from PIL import Image
from pandas import DataFrame


class Runner(BaseRunner):
    def run(self, image: Image.Image, array: np.ndarray) -> DataFrame:
        ...

# test schema
# A picture in, a picture out, as image models are written.
# run: run.py:Predictor

import os
from typing import List, Optional

import numpy as np
import torch
from cog import BasePredictor, Input, Path
from PIL import Image, ImageFilter

MODEL_CACHE = os.environ.get("MODEL_CACHE", "weights")
SCHEDULERS = {
    "DDIM": ("diffusers", "DDIMScheduler"),
    "K_EULER": ("diffusers", "EulerDiscreteScheduler"),
}
MAX_SIDE = 1024


class Predictor(BasePredictor):
    def setup(self) -> None:
        """Load the model into memory."""
        self.device = "cuda" if torch.cuda.is_available() else "cpu"

    @torch.inference_mode()
    def predict(
        self,
        image: Path = Input(description="Input image", accept="image/*"),
        mask: Optional[Path] = Input(description="Mask", default=None),
        radius: float = Input(description="Blur radius", default=5, ge=0, le=100),
        width: int = Input(default=MAX_SIDE // 2, choices=[256, MAX_SIDE // 2, MAX_SIDE]),
        scheduler: str = Input(default="K_EULER", choices=SCHEDULERS.keys(), description="Scheduler"),
        seed: int = Input(default=None, description="Random seed. Leave blank to randomize the seed"),
    ) -> List[Path]:
        with Image.open(image) as picture:
            array = np.asarray(picture.filter(ImageFilter.GaussianBlur(radius)))
        return [Path("/tmp/out.png")]

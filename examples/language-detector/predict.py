"""The model as Cog runs it, and as the server beside it does."""

from pathlib import Path

from detector import Detector


class Predictor:
    def setup(self) -> None:
        self.detector = Detector.load(Path(__file__).parent / "weights" / "trigrams.json")

    def run(self, text: str) -> str:
        return self.detector.detect(text)

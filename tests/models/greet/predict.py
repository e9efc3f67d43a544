"""A class with a setup, that reads a variable of its image."""

import os


class Predictor:
    def setup(self) -> None:
        self.greeting = os.environ["GREETING"]

    def run(self, name: str) -> str:
        return f"{self.greeting}, {name}"

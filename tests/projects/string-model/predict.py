"""The smallest model: a text in, a text out."""


class Predictor:
    def run(self, s: str) -> str:
        return f"hello {s}"

"""A file comes in, and a file goes out."""

from cog import BaseRunner, Path


class Predictor(BaseRunner):
    def run(self, document: Path, copies: int = 1) -> Path:
        written = Path("/tmp/upper.txt")
        written.write_text(document.read_text().upper() * copies)
        return written

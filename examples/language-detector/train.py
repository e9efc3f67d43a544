"""Makes weights/trigrams.json from corpus/*.txt."""

from pathlib import Path

from detector import Detector

HERE = Path(__file__).parent
corpus = {path.stem: path.read_text(encoding="utf-8") for path in sorted((HERE / "corpus").glob("*.txt"))}
Detector.train(corpus).save(HERE / "weights" / "trigrams.json")

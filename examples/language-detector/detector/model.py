"""Naive Bayes over letter trigrams. The weights are logarithms of frequencies, one table a language."""

import json
import math
import re
from collections import Counter
from pathlib import Path


def trigrams(text: str) -> list[str]:
    """The letter trigrams of every word of a text, with a space at both ends of a word."""
    words = re.findall(r"[^\W\d_]+", text.lower())
    return [padded[i : i + 3] for padded in (f" {word} " for word in words) for i in range(len(padded) - 2)]


class Detector:
    """A trained model."""

    def __init__(self, tables: dict[str, dict[str, float]], unseen: dict[str, float]) -> None:
        self.tables = tables
        self.unseen = unseen

    @classmethod
    def load(cls, path: Path) -> "Detector":
        weights = json.loads(path.read_text(encoding="utf-8"))
        return cls(weights["tables"], weights["unseen"])

    @classmethod
    def train(cls, corpus: dict[str, str]) -> "Detector":
        counted = {language: Counter(trigrams(text)) for language, text in sorted(corpus.items())}
        vocabulary = len(set().union(*counted.values()))
        tables, unseen = {}, {}
        for language, counts in counted.items():
            total = sum(counts.values()) + vocabulary
            tables[language] = {
                trigram: round(math.log((count + 1) / total), 4) for trigram, count in sorted(counts.items())
            }
            unseen[language] = round(math.log(1 / total), 4)
        return cls(tables, unseen)

    def save(self, path: Path) -> None:
        weights = {"tables": self.tables, "unseen": self.unseen}
        path.write_text(json.dumps(weights, ensure_ascii=False, indent=1, sort_keys=True) + "\n", encoding="utf-8")

    def scores(self, text: str) -> dict[str, float]:
        """The probability of each language, 0 to 1, in sum 1."""
        found = trigrams(text)
        logs = {
            language: sum(table.get(trigram, self.unseen[language]) for trigram in found)
            for language, table in self.tables.items()
        }
        top = max(logs.values())
        odds = {language: math.exp(log - top) for language, log in logs.items()}
        total = sum(odds.values())
        return {language: round(value / total, 4) for language, value in sorted(odds.items())}

    def detect(self, text: str) -> str:
        """The most probable language."""
        scores = self.scores(text)
        return max(sorted(scores), key=scores.__getitem__)

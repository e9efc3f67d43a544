"""A function in a directory, beside a module that it imports, whose output comes in parts."""

from typing import Iterator

from app.words import split


def count(text: str) -> Iterator[str]:
    for number, word in enumerate(split(text), start=1):
        yield f"{number} {word}"

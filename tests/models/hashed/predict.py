"""Packages whose hashes the project names, one of them a wheel that lies in it."""

import six
import spelling


def spell(word: str) -> str:
    return six.ensure_str(spelling.spell(word))

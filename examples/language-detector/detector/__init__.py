"""Tells in which language a text is written, by the frequencies of its letter trigrams."""

from detector.model import Detector

__all__ = ["Detector"]

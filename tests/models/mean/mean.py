"""A plain function, on a package with binaries."""

import numpy


def mean(numbers: list[float]) -> float:
    return float(numpy.mean(numbers))

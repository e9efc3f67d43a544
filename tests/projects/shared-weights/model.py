"""Reads its weights."""

import array

weights = array.array("f")
with open("weights/latest.bin", "rb") as file:
    weights.frombytes(file.read())
print(sum(weights))

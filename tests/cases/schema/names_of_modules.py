# test schema
# Types and functions by the modules that they stand in.

import typing as t
from collections import abc
import collections.abc
import pathlib

import cog


class Runner(cog.BaseRunner):
    def run(self, a: t.Optional[int] = None, b: cog.Path = cog.Input(description="x"), c: pathlib.Path = None) -> collections.abc.Iterator[t.Dict[str, t.Any]]:
        ...

# test schema
# Functions that do more than return an Input, and calls that do not fit: only running tells what comes of them.

import functools

from cog import BaseRunner, Input


def chosen():
    if SIZE:
        return Input(default=1)
    return Input(default=2)


def named(default):
    return Input(default=default)


@functools.cache
def kept():
    return Input(default=1)


def other():
    return dict(default=1)


class Runner(BaseRunner):
    def run(self, a: int = chosen(),
        b: int = named(),
        c: int = named(1, 2),
        d: int = named(most=1),
        e: int = kept(),
        f: int = other(),
        g: int = named(chosen())) -> str:
        ...

# test schema
# What stands where a type belongs is none.

from cog import BaseRunner, Input


class Runner(BaseRunner):
    def run(self, a: 5, b: [int], c: make(), d: "not a type") -> lambda: 1:
        ...

# test schema
# Expressions that nobody understands; what looks ahead is left to Python.

from cog import BaseRunner, Input


class Runner(BaseRunner):
    def run(
        self,
        open: str = Input(regex="("),
        listed: str = Input(regex="[a-"),
        ahead: str = Input(regex="^(?=a)"),
    ) -> str: ...

# test schema
# A model below the project's directory imports from there, as the server does.
# run: my/run.py:Runner
--- my/run.py
from cog import BaseRunner

from my.data import Answer


class Runner(BaseRunner):
    def run(self) -> Answer:
        ...
--- my/data.py
from dataclasses import dataclass


@dataclass
class Answer:
    text: str

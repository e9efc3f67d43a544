# test schema
# Whatever it is, it is shown as an object.

from typing import Any

from cog import BaseRunner


class Runner(BaseRunner):
    def run(self) -> Any:
        ...

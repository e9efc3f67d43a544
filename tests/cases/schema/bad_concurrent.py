# test schema
# Several requests at a time for a handler that cannot wait, and a number that is none.
# run: run.py:Base

import cog


class Base:
    @cog.concurrent(max=0)
    async def run(self) -> str: ...

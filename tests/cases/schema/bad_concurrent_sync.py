# test schema
# Several requests at a time for a handler that is not async.

import cog


class Runner:
    @cog.concurrent(max=4)
    def run(self) -> str: ...
